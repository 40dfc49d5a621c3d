//! The viewer's tasks. Every statement here is restricted by [`Tasks::mine`]. Statements that several viewers
//! share are in [`coalesced`](crate::service::coalesced).
//!
//! An edit locks its tasks, computes the new values in memory, and writes the columns that differ. So the
//! rules are implemented once, in Rust, and concurrent edits of a task run one after the other.

mod part_changes;
mod parts;
pub mod trash;

pub use part_changes::ItemPosition;
pub use parts::ByTask;

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use sea_orm::sea_query::{CaseStatement, ExprTrait, OnConflict, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, SqlErr,
};
use uuid::Uuid;

use crate::auth::Viewer;
use crate::db::entity::task::{ActiveModel, Column, Entity, TaskColumns, TaskRow, changes};
use crate::db::entity::{checklist_item, file_change, risk, session, user};
use crate::db::task_query;
use crate::db::{Database, Transaction, UserDatabase, in_transaction, map_error};
use crate::domain::{
    BulkIds, Clock, Error, Faults, Instant, NewTask, OrderKey, Page, PageRequest, PathSegment, Problem,
    Result, Rule, Task, TaskEdit, TaskFilter, TaskScope, new_id,
};
use crate::service::coalesced::CoalescedStatements;
use crate::service::tasks::parts::Parts;

/// The time that a task stays in the trash.
pub(super) const TRASH_RETENTION: TimeDelta = TimeDelta::days(30);
const NOT_FOUND: Error = Error::NotFound("There is no such task.");
const FORBIDDEN: Error = Error::Forbidden("This task belongs to another user.");

/// Access to the tasks of one viewer.
pub struct Tasks<'a> {
    pub(super) database: UserDatabase<'a>,
    clock: &'a Clock,
    coalesced: &'a CoalescedStatements,
    viewer: &'a Viewer,
}

impl<'a> Tasks<'a> {
    pub(super) fn new(
        database: &'a Database,
        clock: &'a Clock,
        coalesced: &'a CoalescedStatements,
        viewer: &'a Viewer,
    ) -> Self {
        Self { database: database.for_user(viewer.user_id()), clock, coalesced, viewer }
    }

    /// The condition that restricts statements to the viewer's tasks. No other code defines ownership of
    /// tasks, except for [`coalesced`](crate::service::coalesced).
    pub(super) fn mine(&self) -> SimpleExpr {
        Column::OwnerId.eq(self.viewer.user_id())
    }

    /// The viewer's tasks in a scope, for lists.
    pub(super) fn in_scope(&self, scope: TaskScope) -> SimpleExpr {
        self.mine().and(match scope {
            TaskScope::Active => Column::DeletedAt.is_null(),
            TaskScope::Trashed => Column::DeletedAt.gt(self.now() - TRASH_RETENTION),
        })
    }

    /// The viewer's active tasks, for statements that find tasks by id.
    pub(super) fn active_by_id(&self) -> SimpleExpr {
        self.mine().and(is_active())
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// An active task.
    ///
    /// Errors: NotFound when there is none; Forbidden when it belongs to another user.
    pub async fn get(&self, id: Uuid) -> Result<Task> {
        match self.coalesced.tasks.submit((self.viewer.user_id(), id)).await? {
            Some(task) => Ok(task),
            None => Err(self.access_error(&self.database.read(), id).await?),
        }
    }

    /// The viewer's active tasks among these ids, in any order.
    pub async fn find(&self, ids: &[Uuid]) -> Result<Vec<Task>> {
        let rows = TaskRow::find().filter(self.active_by_id()).filter(Column::Id.is_in(ids.iter().copied()));
        to_tasks(rows.into_model().all(&self.database.read()).await.map_err(map_error)?)
    }

    /// A page of the tasks in a scope that match a filter. Of the [`LAZY_COLUMNS`] it reads only those for
    /// which `is_selected` returns true and those that the order uses; the other fields have their default
    /// values.
    pub async fn list(
        &self,
        scope: TaskScope,
        filter: Option<&TaskFilter>,
        order: &[OrderKey],
        request: &PageRequest,
        selected: TaskColumns,
    ) -> Result<Page<Task>> {
        let ordered_by = order.iter().map(|key| task_query::column(key.field));
        let columns = ordered_by.fold(selected, TaskColumns::with).set();
        let select = TaskRow::find_columns(columns).filter(self.matching(scope, filter));
        let page = task_query::page(select, order, request).into_query();
        let rows = self.database.read().query_all(&page).await.map_err(map_error)?;
        // Each row is dropped after it was converted, so that long texts are not in memory twice.
        let rows: Result<Vec<_>, _> = rows.into_iter().map(|row| TaskRow::from_row(&row, columns)).collect();
        Ok(Page::from_scan(to_tasks(rows.map_err(map_error)?)?, request))
    }

    /// The number of tasks in a scope that match a filter.
    pub async fn count(&self, scope: TaskScope, filter: Option<&TaskFilter>) -> Result<u64> {
        let select = Entity::find().filter(self.matching(scope, filter));
        select.count(&self.database.read()).await.map_err(map_error)
    }

    fn matching(&self, scope: TaskScope, filter: Option<&TaskFilter>) -> SimpleExpr {
        let backend = self.database.read().get_database_backend();
        match filter {
            Some(filter) => self.in_scope(scope).and(task_query::condition(filter, backend)),
            None => self.in_scope(scope),
        }
    }

    /// Creates a task. When the client chose an id that one of the viewer's tasks already has, returns that
    /// task unchanged.
    ///
    /// Errors: AlreadyExists when something else has the id.
    pub async fn create(&self, new: NewTask) -> Result<Task> {
        if new.id.is_none() && new.parts.is_empty() {
            let task = new.task(new_id(), self.viewer.user_id(), self.now());
            self.coalesced.new_tasks.submit(task.clone()).await?;
            return Ok(task);
        }
        let new = [new];
        let path_of = |_| vec!["input".into()];
        let tasks =
            in_transaction!(self.database, |transaction| self.insert_all(&transaction, &new, path_of).await)?;
        tasks.into_iter().next().ok_or_else(|| Error::internal(anyhow::anyhow!("no task was created")))
    }

    /// Creates all tasks or none, as [`Tasks::create`] does.
    ///
    /// Errors: AlreadyExists when something else has one of the ids.
    pub async fn create_all(&self, new: &[NewTask]) -> Result<Vec<Task>> {
        let path_of = |index: usize| vec!["inputs".into(), index.into()];
        in_transaction!(self.database, |transaction| self.insert_all(&transaction, new, path_of).await)
    }

    async fn insert_all(
        &self,
        transaction: &Transaction,
        new: &[NewTask],
        path_of: impl Fn(usize) -> Vec<PathSegment>,
    ) -> Result<Vec<Task>> {
        let mut known = self.existing_with_client_ids(transaction, new, path_of).await?;
        let (mut tasks, mut rows, mut parts) = (Vec::new(), Vec::new(), Parts::default());
        let now = self.now();
        for new in new {
            let id = new.id.unwrap_or_else(new_id);
            let task = known.entry(id).or_insert_with(|| {
                let task = new.task(id, self.viewer.user_id(), now);
                rows.push(ActiveModel::from(&task));
                parts.add(id, &new.parts);
                task
            });
            tasks.push(task.clone());
        }
        if !rows.is_empty() {
            let count = rows.len() as u64;
            let insert = Entity::insert_many(rows)
                .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
                .exec_without_returning(transaction);
            if insert.await.map_err(insert_error)? < count {
                // Another transaction has inserted one of the ids in the meantime.
                return Err(Error::WriteConflict);
            }
            parts.insert(transaction).await?;
        }
        Ok(tasks)
    }

    /// The viewer's existing tasks among the ids that the client chose.
    ///
    /// Errors: AlreadyExists when something else has one of the ids.
    async fn existing_with_client_ids(
        &self,
        transaction: &Transaction,
        new: &[NewTask],
        path_of: impl Fn(usize) -> Vec<PathSegment>,
    ) -> Result<HashMap<Uuid, Task>> {
        let chosen: HashSet<Uuid> = new.iter().filter_map(|new| new.id).collect();
        if chosen.is_empty() {
            return Ok(HashMap::new());
        }
        // Tasks that have expired in the trash and tasks of deleted accounts no longer occupy their ids.
        let expired = self.mine().and(Column::DeletedAt.lte(self.now() - TRASH_RETENTION));
        let expired = without_index(expired.or(Column::OwnerId.in_subquery(deleted_users())));
        let delete = Entity::delete_many().filter(Column::Id.is_in(chosen.clone())).filter(expired);
        delete.exec(transaction).await.map_err(map_error)?;
        // Some rows may belong to other users. Only the owner of these is used.
        let rows = TaskRow::find().filter(Column::Id.is_in(chosen.clone())).into_model();
        let known = to_tasks(rows.all(transaction).await.map_err(map_error)?)?;
        let known: HashMap<Uuid, Task> = known.into_iter().map(|task| (task.id, task)).collect();

        let others = self.ids_of_other_entities(transaction, &chosen).await?;
        let mut faults = Faults::default();
        for (index, id) in new.iter().enumerate().filter_map(|(index, new)| Some((index, new.id?))) {
            let is_mine = known.get(&id).map(|task| task.owner_id == self.viewer.user_id());
            if !is_mine.unwrap_or(!others.contains(&id)) {
                faults.inside(path_of(index), |faults| {
                    faults.push("id", Problem::new(Rule::Taken, "is taken"));
                });
            }
        }
        if faults.count() > 0 { Err(Error::AlreadyExists(faults.into_found())) } else { Ok(known) }
    }

    /// Those of the ids that belong to something other than a task, because ids are unique over all tables.
    async fn ids_of_other_entities(
        &self,
        transaction: &Transaction,
        ids: &HashSet<Uuid>,
    ) -> Result<HashSet<Uuid>> {
        let mut taken = HashSet::new();
        taken.extend(existing_ids(transaction, user::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, session::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, checklist_item::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, risk::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, file_change::Column::Id, ids).await?);
        Ok(taken)
    }

    /// Changes a task. An edit without a difference does not change version and updatedAt.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the task does not have the expected version; Invalid
    /// when the labels become too many.
    pub async fn edit(&self, id: Uuid, edit: &TaskEdit, expected_version: Option<i32>) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, expected_version).await?;
            let edited = task.edited(edit, self.now())?;
            self.save(&transaction, &task, edited).await
        })
    }

    /// Replaces the whole content of a task. Kinds of task parts that do not differ keep their rows and ids.
    ///
    /// Errors: those of [`Tasks::edit`].
    pub async fn replace(&self, id: Uuid, new: &NewTask, expected_version: Option<i32>) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, expected_version).await?;
            let mut edited = task.edited(&new.edit(), self.now())?;
            let replaced =
                self.parts_of(&transaction, id).await?.replace(&transaction, id, &new.parts).await?;
            if replaced && edited == task {
                edited = edited.with_next_version(self.now());
            }
            self.save(&transaction, &task, edited).await
        })
    }

    /// Applies the same edit to all tasks or none, and returns the tasks in the order of `ids`.
    ///
    /// Errors: Bulk with the index of each task that is not accessible; Invalid when the labels become too
    /// many.
    pub async fn edit_all(&self, ids: &BulkIds, edit: &TaskEdit) -> Result<Vec<Task>> {
        in_transaction!(self.database, |transaction| {
            let tasks = self.lock_all(&transaction, ids).await?;
            let edited: Vec<Result<Task>> = tasks.iter().map(|task| task.edited(edit, self.now())).collect();
            let edited = ids.all_or_none(edited)?;
            for (task, after) in tasks.iter().zip(&edited) {
                self.save(&transaction, task, after.clone()).await?;
            }
            Ok(edited)
        })
    }

    /// Moves a task to the trash.
    ///
    /// Errors: NotFound, also when the task is in the trash already; Forbidden.
    pub async fn delete(&self, id: Uuid) -> Result<()> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, None).await?;
            self.move_to_trash(&transaction, &task).await
        })
    }

    /// Moves all tasks to the trash or none.
    ///
    /// Errors: Bulk with the index of each task that is not accessible.
    pub async fn delete_all(&self, ids: &BulkIds) -> Result<()> {
        in_transaction!(self.database, |transaction| {
            for task in self.lock_all(&transaction, ids).await? {
                self.move_to_trash(&transaction, &task).await?;
            }
            Ok(())
        })
    }

    async fn move_to_trash(&self, transaction: &Transaction, task: &Task) -> Result<()> {
        let now = self.now();
        let deleted = Task { deleted_at: Some(now), ..task.clone() }.with_next_version(now);
        self.save(transaction, task, deleted).await.map(drop)
    }

    /// Restores a task from the trash. An active task is returned unchanged.
    ///
    /// Errors: NotFound, Forbidden.
    pub async fn restore(&self, id: Uuid) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let condition = self.active_by_id().or(self.in_scope(TaskScope::Trashed));
            let Some(task) = self.select_for_update(&transaction, &[id], condition).await?.pop() else {
                return Err(self.access_error(&transaction, id).await?);
            };
            let restored = match task.deleted_at {
                Some(_) => Task { deleted_at: None, ..task.clone() }.with_next_version(self.now()),
                None => task.clone(),
            };
            self.save(&transaction, &task, restored).await
        })
    }

    /// Locks an active task until the transaction ends.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the task does not have the expected version.
    pub(super) async fn lock(
        &self,
        transaction: &Transaction,
        id: Uuid,
        expected_version: Option<i32>,
    ) -> Result<Task> {
        let Some(task) = self.select_for_update(transaction, &[id], self.active_by_id()).await?.pop() else {
            return Err(self.access_error(transaction, id).await?);
        };
        match expected_version {
            Some(expected) if expected != task.version => {
                Err(Error::VersionConflict { current: task.version })
            }
            _ => Ok(task),
        }
    }

    /// Locks active tasks and returns them in the order of `ids`.
    ///
    /// Errors: Bulk with the index of each task that is not accessible.
    async fn lock_all(&self, transaction: &Transaction, ids: &BulkIds) -> Result<Vec<Task>> {
        let wanted: Vec<Uuid> = ids.ids().collect();
        let locked = self.select_for_update(transaction, &wanted, self.active_by_id()).await?;
        let mut locked: HashMap<Uuid, Task> = locked.into_iter().map(|task| (task.id, task)).collect();
        if locked.len() < wanted.len() {
            let missing: Vec<Uuid> = wanted.iter().copied().filter(|id| !locked.contains_key(id)).collect();
            let reasons = self.access_errors(transaction, &missing).await?;
            if let Some(error) = ids.error_for(|id| reasons.get(&id).cloned()) {
                return Err(error);
            }
        }
        Ok(wanted.iter().filter_map(|id| locked.remove(id)).collect())
    }

    /// Locks rows in the order of their ids, so that two transactions cannot wait for each other.
    async fn select_for_update(
        &self,
        transaction: &Transaction,
        ids: &[Uuid],
        condition: SimpleExpr,
    ) -> Result<Vec<Task>> {
        let rows = TaskRow::find().filter(condition).filter(Column::Id.is_in(ids.iter().copied()));
        let rows = rows.order_by_asc(Column::Id).lock_exclusive().into_model();
        to_tasks(rows.all(transaction).await.map_err(map_error)?)
    }

    /// Writes the columns that differ.
    pub(super) async fn save(&self, transaction: &Transaction, before: &Task, after: Task) -> Result<Task> {
        if *before != after {
            let update = Entity::update_many().set(changes(before, &after)).filter(self.mine());
            update.filter(Column::Id.eq(after.id)).exec(transaction).await.map_err(map_error)?;
        }
        Ok(after)
    }

    /// The reason why the viewer has no active task with this id: NotFound or Forbidden.
    pub(super) async fn access_error(&self, connection: &impl ConnectionTrait, id: Uuid) -> Result<Error> {
        Ok(self.access_errors(connection, &[id]).await?.remove(&id).unwrap_or(NOT_FOUND))
    }

    async fn access_errors(
        &self,
        connection: &impl ConnectionTrait,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Error>> {
        let foreign = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(self.mine().not())
            .filter(Column::Id.is_in(ids.iter().copied()))
            .filter(Column::OwnerId.not_in_subquery(deleted_users()));
        let foreign: Vec<Uuid> = foreign.into_tuple().all(connection).await.map_err(map_error)?;
        let reason = |id| if foreign.contains(&id) { FORBIDDEN } else { NOT_FOUND };
        Ok(ids.iter().map(|id| (*id, reason(*id))).collect())
    }
}

/// `NOT (deleted_at IS NOT NULL)` keeps SQLite from using a partial index of active tasks, with which it
/// would read all tasks of the owner.
pub(super) fn is_active() -> SimpleExpr {
    Column::DeletedAt.is_not_null().not()
}

/// Wraps a condition in CASE, so that a statement that finds tasks by id does not use an index for this
/// condition instead and read all tasks of an owner.
pub(super) fn without_index(condition: SimpleExpr) -> SimpleExpr {
    CaseStatement::new().case(condition, true).finally(false).into()
}

/// The deleted accounts that still have rows. Their tasks no longer exist for clients.
fn deleted_users() -> SelectStatement {
    let deleted = user::Entity::find().select_only().column(user::Column::Id);
    deleted.filter(user::Column::DeletedAt.is_not_null()).into_query()
}

/// The domain error of a failed insert. A foreign key violation means that the owner has just been deleted.
pub(super) fn insert_error(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::Unauthenticated("Invalid token"),
        _ => map_error(error),
    }
}

async fn existing_ids<C>(transaction: &Transaction, id: C, among: &HashSet<Uuid>) -> Result<Vec<Uuid>>
where
    C: ColumnTrait,
    C::EntityName: EntityTrait,
{
    let select = <C::EntityName as EntityTrait>::find().select_only().column(id);
    let select = select.filter(id.is_in(among.iter().copied()));
    select.into_tuple().all(transaction).await.map_err(map_error)
}

pub(super) fn to_tasks(rows: Vec<TaskRow>) -> Result<Vec<Task>> {
    rows.into_iter().map(Task::try_from).collect()
}
