//! The viewer's own tasks. Every statement here goes through [`Tasks::mine`].

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr, Value};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::{
    Clock, Error, NewTask, OrderKey, Page, PageRequest, Result, StatusChange, Task, TaskEdit, TaskFilter,
    TaskStatus, Title, new_id,
};
use crate::identity::Viewer;
use crate::service::database::{Database, meaning};
use crate::service::entity::task::{ActiveModel, Column, Entity, Model};
use crate::service::task_query;

/// How often an edit looks again when the task moves on between its two statements.
const TRIES: u32 = 4;

/// A handle on the tasks of one viewer.
pub struct Tasks<'a> {
    database: &'a Database,
    clock: &'a Clock,
    viewer: &'a Viewer,
}

impl<'a> Tasks<'a> {
    pub(super) fn new(database: &'a Database, clock: &'a Clock, viewer: &'a Viewer) -> Self {
        Self { database, clock, viewer }
    }

    /// The one place that knows whose tasks these are: the viewer's, but for those in the trash.
    fn mine(&self) -> SimpleExpr {
        Column::OwnerId.eq(self.viewer.user_id()).and(Column::DeletedAt.is_null())
    }

    /// A task. [`Error::NotFound`] when there is none, [`Error::Forbidden`] when it is another's.
    pub async fn get(&self, id: Uuid) -> Result<Task> {
        match self.find(&[id]).await?.pop() {
            Some(task) => Ok(task),
            None => Err(self.why_not(id).await?.unwrap_or(NOT_FOUND)),
        }
    }

    /// Those of the tasks with these ids that are the viewer's, in no order.
    pub async fn find(&self, ids: &[Uuid]) -> Result<Vec<Task>> {
        let rows = Entity::find().filter(self.mine()).filter(Column::Id.is_in(ids.iter().copied()));
        let rows = rows.all(self.database.read()).await.map_err(meaning)?;
        rows.into_iter().map(Task::try_from).collect()
    }

    /// A page of the tasks that meet the filter.
    pub async fn list(
        &self,
        filter: Option<&TaskFilter>,
        order: &[OrderKey],
        request: &PageRequest,
    ) -> Result<Page<Task>> {
        let select = Entity::find().filter(self.matching(filter));
        let rows = task_query::page(select, order, request).all(self.database.read()).await;
        let tasks: Result<_> = rows.map_err(meaning)?.into_iter().map(Task::try_from).collect();
        Ok(Page::from_travel(tasks?, request))
    }

    /// How many tasks meet the filter.
    pub async fn count(&self, filter: Option<&TaskFilter>) -> Result<u64> {
        Entity::find().filter(self.matching(filter)).count(self.database.read()).await.map_err(meaning)
    }

    fn matching(&self, filter: Option<&TaskFilter>) -> SimpleExpr {
        match filter {
            Some(filter) => self.mine().and(task_query::condition(filter)),
            None => self.mine(),
        }
    }

    /// Makes a task.
    pub async fn create(&self, new: NewTask) -> Result<Task> {
        let now = self.clock.now();
        let task = Task {
            id: new_id(),
            owner_id: self.viewer.user_id(),
            title: new.title.as_str().to_owned(),
            description: new.description.map(|text| text.into_string()),
            status: new.status,
            priority: new.priority,
            due_at: new.due_at,
            completed_at: (new.status == TaskStatus::Completed).then_some(now),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let insert = Entity::insert(ActiveModel::from(task.clone()));
        insert.exec_without_returning(self.database.write()).await.map_err(meaning)?;
        Ok(task)
    }

    /// Changes a task, in one statement. What changes nothing leaves version and updatedAt alone.
    /// [`Error::VersionPassed`] when the task is not at the version expected.
    pub async fn edit(&self, id: Uuid, edit: TaskEdit, expected_version: Option<i32>) -> Result<Task> {
        let now = self.clock.now();
        for _ in 0..TRIES {
            let mut update = Entity::update_many().filter(self.mine()).filter(Column::Id.eq(id));
            if let Some(version) = expected_version {
                update = update.filter(Column::Version.eq(version));
            }
            for (column, value) in assignments(&edit, now) {
                update = update.col_expr(column, value);
            }
            let rows = update.exec_with_returning(self.database.write()).await.map_err(meaning)?;
            if let Some(row) = rows.into_iter().next() {
                return row.try_into();
            }
            if let Some(reason) = self.why_not(id).await? {
                return Err(reason);
            }
            let current = self.get(id).await?.version;
            if expected_version.is_some_and(|expected| expected != current) {
                return Err(Error::VersionPassed { current });
            }
            // It came to the version expected only after the update had looked.
        }
        Err(Error::Contended)
    }

    /// Moves a task into the trash. Doing it again is [`Error::NotFound`].
    pub async fn delete(&self, id: Uuid) -> Result<()> {
        let now = self.clock.now();
        let deleted = Entity::update_many()
            .filter(self.mine())
            .filter(Column::Id.eq(id))
            .col_expr(Column::DeletedAt, Expr::val(now))
            .col_expr(Column::UpdatedAt, not_before(now))
            .col_expr(Column::Version, Column::Version.into_expr().add(1))
            .exec(self.database.write())
            .await
            .map_err(meaning)?;
        if deleted.rows_affected == 1 { Ok(()) } else { Err(self.why_not(id).await?.unwrap_or(NOT_FOUND)) }
    }

    /// Why a statement found none of the viewer's live tasks under this id; None when there is one.
    async fn why_not(&self, id: Uuid) -> Result<Option<Error>> {
        // The only look at a row that may be somebody else's; nothing of it but its owner is used.
        let row: Option<Model> =
            Entity::find().filter(Column::Id.eq(id)).one(self.database.read()).await.map_err(meaning)?;
        Ok(match row {
            None => Some(NOT_FOUND),
            Some(row) if row.owner_id != self.viewer.user_id() => Some(FORBIDDEN),
            Some(row) if row.deleted_at.is_some() => Some(NOT_FOUND),
            Some(_) => None,
        })
    }
}

const NOT_FOUND: Error = Error::NotFound("There is no such task.");
const FORBIDDEN: Error = Error::Forbidden("This task belongs to somebody else.");

/// What an edit sets. Version and updated_at move only when a value really differs.
fn assignments(edit: &TaskEdit, now: crate::domain::Instant) -> Vec<(Column, SimpleExpr)> {
    let TaskEdit { title, description, status, priority, due_at } = edit;
    let mut set: Vec<(Column, SimpleExpr)> = Vec::new();
    if let Some(title) = title {
        set.push((Column::Title, Expr::val(title.as_str())));
        set.push((Column::TitleKey, Expr::val(Title::key(title.as_str()))));
    }
    if let Some(description) = description {
        set.push((Column::Description, Expr::val(description.clone().map(|text| text.into_string()))));
    }
    if let Some(priority) = priority {
        set.push((Column::Priority, Expr::val(priority.name())));
    }
    if let Some(due_at) = due_at {
        set.push((Column::DueAt, Expr::val(Value::ChronoDateTimeUtc(*due_at))));
    }
    if let Some(change) = status {
        set.extend(status_assignments(*change, now));
    }

    let differs = set.iter().map(|(column, value)| differs(*column, value.clone())).reduce(|a, b| a.or(b));
    if let Some(differs) = differs {
        let when_changed = |column: Column, value: SimpleExpr| {
            let case = CaseStatement::new().case(differs.clone(), value).finally(column.into_expr());
            (column, case.into())
        };
        set.push(when_changed(Column::Version, Column::Version.into_expr().add(1)));
        set.push(when_changed(Column::UpdatedAt, not_before(now)));
    } else {
        // An empty edit still has to find its task.
        set.push((Column::Version, Column::Version.into_expr()));
    }
    set
}

/// The time of a change, which is not before the change that came first: this one may have waited for
/// it since its own time was taken, and whoever asks for what is newer must not miss it.
fn not_before(now: crate::domain::Instant) -> SimpleExpr {
    CaseStatement::new().case(Column::UpdatedAt.gt(now), Column::UpdatedAt.into_expr()).finally(now).into()
}

/// Status and completed_at move together: the one is COMPLETED exactly when the other is set.
fn status_assignments(change: StatusChange, now: crate::domain::Instant) -> [(Column, SimpleExpr); 2] {
    let completed = || Column::Status.eq(TaskStatus::Completed.name());
    let when_completed = |then: SimpleExpr, otherwise: SimpleExpr| -> SimpleExpr {
        CaseStatement::new().case(completed(), then).finally(otherwise).into()
    };
    let name = |status: TaskStatus| Expr::val(status.name());
    let never = || Expr::val(Value::ChronoDateTimeUtc(None));
    let kept_or_now = || when_completed(Column::CompletedAt.into_expr(), Expr::val(now));
    let (status, completed_at) = match change {
        StatusChange::To(TaskStatus::Completed) => (name(TaskStatus::Completed), kept_or_now()),
        StatusChange::To(status) => (name(status), never()),
        StatusChange::Reopen => {
            (when_completed(name(TaskStatus::Pending), Column::Status.into_expr()), never())
        }
        StatusChange::Toggle => (
            when_completed(name(TaskStatus::Pending), name(TaskStatus::Completed)),
            when_completed(never(), Expr::val(now)),
        ),
    };
    [(Column::Status, status), (Column::CompletedAt, completed_at)]
}

/// Whether a column would change: unlike `<>`, null differs from a value and not from null.
fn differs(column: Column, value: SimpleExpr) -> SimpleExpr {
    column.into_expr().binary(sea_orm::sea_query::BinOper::Custom("IS DISTINCT FROM"), value)
}
