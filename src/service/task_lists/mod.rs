//! The viewer's task lists. Every statement here is restricted by [`TaskLists::mine`]. The document of a list is
//! kept as it came; the rows of its tasks hold what is now, and an export is made from both. A change of a task
//! writes its row only. A change of a list, the choice of a task for a claim, and the renewal of a claim lock the row of the
//! list first, then those of its tasks in the order of ids.

mod claims;
mod dependencies;
mod documents;
mod export;
mod import;
mod insert;
mod liveness;
mod merge;
mod next_task;
mod outline;
mod rows;
mod settings;
mod trash;
mod waiting;
mod waiting_load;

pub use documents::{ListDocuments, StoredDocument};
pub use export::{ExportedList, revision};
pub use insert::NewListTask;
pub use merge::{ListMerge, ListMergeChange, ListMergeConflict};
pub use outline::{ListOutline, OutlineTask, progress_of};
pub use waiting::{WaitingSeeds, WaitingTasks};

use std::sync::Arc;

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use crate::db::entity::task_list::{ActiveModel, Column, Entity, TaskListRow};
use crate::db::list_query;
use crate::db::{Transaction, map_error};
use crate::domain::{
    Error, Faults, Page, PageRequest, PathSegment, Problem, Result, Rule, TaskList, TaskScope,
};
use crate::service::Tasks;
use crate::service::document_threads::run_in_transaction;
use crate::service::tasks::{TRASH_RETENTION, deleted_users};

const NOT_FOUND: Error = Error::NotFound("There is no such task list.");
const FORBIDDEN: Error = Error::Forbidden("This task list belongs to another user.");

/// Access to the task lists of one viewer.
pub struct TaskLists<'a> {
    tasks: Tasks<'a>,
}

impl<'a> TaskLists<'a> {
    /// The task lists of the viewer of these tasks.
    pub fn new(tasks: Tasks<'a>) -> Self {
        Self { tasks }
    }

    /// The viewer's tasks.
    pub fn tasks(&self) -> &Tasks<'a> {
        &self.tasks
    }

    /// The condition that restricts statements to the viewer's task lists. No other code defines ownership of
    /// lists, except for [`coalesced`](crate::service::coalesced).
    fn mine(&self) -> SimpleExpr {
        Column::OwnerId.eq(self.owner())
    }

    fn documents(&self) -> &'a ListDocuments {
        self.tasks.documents
    }

    fn owner(&self) -> Uuid {
        self.tasks.viewer().user_id()
    }

    fn in_scope(&self, scope: TaskScope) -> SimpleExpr {
        self.mine().and(match scope {
            TaskScope::Active => Column::DeletedAt.is_null(),
            TaskScope::Trashed => Column::DeletedAt.gt(self.tasks.now() - TRASH_RETENTION),
        })
    }

    /// A list that is not in the trash.
    ///
    /// Errors: NotFound when there is none; Forbidden when it belongs to another user.
    pub async fn get(&self, id: Uuid) -> Result<TaskList> {
        match self.find(id).await? {
            Some(list) => Ok(list),
            None => Err(self.access_error(&self.tasks.database.read(), id).await?),
        }
    }

    /// The viewer's list with this id, unless it is in the trash.
    pub async fn find(&self, id: Uuid) -> Result<Option<TaskList>> {
        Ok(self.find_any(id).await?.filter(|list| list.deleted_at.is_none()))
    }

    /// The viewer's list with this id, also one in the trash.
    pub async fn find_any(&self, id: Uuid) -> Result<Option<TaskList>> {
        self.tasks.coalesced.lists.submit((self.owner(), id)).await
    }

    /// Reads a page of the lists in a scope: the newest first, or the latest deletion first.
    pub async fn list(&self, scope: TaskScope, request: &PageRequest) -> Result<Page<TaskList>> {
        let select = TaskListRow::find().filter(self.in_scope(scope));
        let page = list_query::page(select, scope, request);
        let lists = TaskListRow::all(page, &self.tasks.database.read()).await.map_err(map_error)?;
        Ok(Page::from_scan(lists, request))
    }

    /// The number of lists in a scope.
    pub async fn count(&self, scope: TaskScope) -> Result<u64> {
        let select = Entity::find().filter(self.in_scope(scope));
        select.count(&self.tasks.database.read()).await.map_err(map_error)
    }

    /// The reason why the viewer has no such list: NotFound or Forbidden.
    async fn access_error(&self, connection: &impl ConnectionTrait, id: Uuid) -> Result<Error> {
        let foreign = Entity::find().select_only().column(Column::Id).filter(self.mine().not());
        let foreign =
            foreign.filter(Column::Id.eq(id)).filter(Column::OwnerId.not_in_subquery(deleted_users()));
        let foreign: Option<Uuid> = foreign.into_tuple().one(connection).await.map_err(map_error)?;
        Ok(if foreign.is_some() { FORBIDDEN } else { NOT_FOUND })
    }

    /// Locks a list in a scope until the transaction ends.
    ///
    /// Errors: NotFound, Forbidden.
    async fn lock(&self, transaction: &Transaction, id: Uuid, scope: SimpleExpr) -> Result<TaskList> {
        let rows = TaskListRow::find().filter(self.mine()).filter(Column::Id.eq(id)).filter(scope);
        let locked: Vec<TaskList> =
            TaskListRow::all(rows.lock_exclusive(), transaction).await.map_err(map_error)?;
        match locked.into_iter().next() {
            Some(list) => Ok(list),
            None => Err(self.access_error(transaction, id).await?),
        }
    }

    /// The document of a list that was read. None when the list has another version by now.
    async fn document(&self, list: &TaskList) -> Result<Option<Arc<StoredDocument>>> {
        if let Some(kept) = self.documents().get(list) {
            return Ok(Some(kept));
        }
        let Some(source) = self.source(&self.tasks.database.read(), list).await? else { return Ok(None) };
        let (id, bytes) = (list.id, source.len());
        let read = move || Arc::new(StoredDocument::read(id, source));
        let document = self.documents().threads.run(self.owner(), bytes, read).await?;
        self.documents().keep(list, &document);
        Ok(Some(document))
    }

    /// The document of a list that the transaction has read. Errors: WriteConflict when the list has another version by now.
    async fn locked_document(
        &self,
        transaction: &Transaction,
        list: &TaskList,
    ) -> Result<Arc<StoredDocument>> {
        if let Some(kept) = self.documents().get(list) {
            return Ok(kept);
        }
        let source = self.source(transaction, list).await?.ok_or(Error::WriteConflict)?;
        let (id, bytes) = (list.id, source.len());
        run_in_transaction(bytes, move || Arc::new(StoredDocument::read(id, source))).await
    }

    /// The text of a list's document. None when the list has another version by now.
    async fn source(&self, connection: &impl ConnectionTrait, list: &TaskList) -> Result<Option<String>> {
        let source = Entity::find().select_only().column(Column::Source).filter(self.mine());
        let source = source.filter(Column::Id.eq(list.id)).filter(Column::Version.eq(list.version));
        source.into_tuple().one(connection).await.map_err(map_error)
    }

    /// Writes a locked list without its document.
    async fn save(&self, transaction: &Transaction, list: &TaskList) -> Result<()> {
        self.save_row(transaction, list.id, ActiveModel::from(list)).await
    }

    /// Writes a locked list with its document.
    async fn save_with_source(&self, transaction: &Transaction, list: &TaskList, source: &str) -> Result<()> {
        let source = ActiveValue::Set(source.to_owned());
        self.save_row(transaction, list.id, ActiveModel { source, ..ActiveModel::from(list) }).await
    }

    async fn save_row(&self, transaction: &Transaction, id: Uuid, row: ActiveModel) -> Result<()> {
        let update = Entity::update_many().set(row).filter(self.mine()).filter(Column::Id.eq(id));
        update.exec(transaction).await.map_err(map_error).map(drop)
    }
}

/// Errors: Invalid at `path` when a document is larger than `limit` bytes or contains the character U+0000.
pub fn check_document(markdown: &str, path: &[PathSegment], limit: usize) -> Result<()> {
    let mut faults = Faults::default();
    faults.inside(path.to_vec(), |faults| {
        if markdown.len() > limit {
            let message = format!("must have at most {limit} bytes");
            faults.push("", Problem::new(Rule::TooLong, message));
        }
        if markdown.contains('\0') {
            faults.push("", Problem::new(Rule::Invalid, "must not contain the character U+0000"));
        }
    });
    faults.into_result()
}
