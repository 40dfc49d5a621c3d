//! The viewer's tasks. Every statement here is restricted by [`Tasks::mine`]. Statements that several viewers
//! share are in [`coalesced`](crate::service::coalesced). An edit reads its tasks, computes the new values in
//! memory, and writes the columns that differ, so the rules are implemented once, in Rust. A lock, or the
//! version in the condition of the statement, lets concurrent edits of a task run one after the other.

mod bulk;
mod changes;
mod create;
mod document;
mod edit;
mod parts;
pub mod trash;

pub use document::{DocumentMatch, ExportedTask};
pub use parts::{ByTask, ItemPosition};

use std::collections::{HashMap, HashSet};

use chrono::{SubsecRound, TimeDelta};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    QueryTrait,
};
use task_documents::list::paths;
use uuid::Uuid;

use crate::auth::Viewer;
use crate::db::entity::task::{Column, Entity, TaskColumns, TaskRow};
use crate::db::entity::user;
use crate::db::task_query;
use crate::db::{Database, UserDatabase, map_error};
use crate::domain::{
    Clock, Error, Instant, OrderKey, Page, PageRequest, Result, Task, TaskFilter, TaskScope,
};
use crate::service::coalesced::CoalescedStatements;
use crate::service::task_lists::ListDocuments;
use crate::service::task_rows::is_active;

/// The time that a task stays in the trash.
pub(super) const TRASH_RETENTION: TimeDelta = TimeDelta::days(30);
pub(super) const NOT_FOUND: Error = Error::NotFound("There is no such task.");
/// The number of ids of one statement.
const IDS_PER_READ: usize = 1_000;
const FORBIDDEN: Error = Error::Forbidden("This task belongs to another user.");

/// Access to the tasks of one viewer.
#[derive(Clone, Copy)]
pub struct Tasks<'a> {
    pub(super) database: UserDatabase<'a>,
    clock: &'a Clock,
    pub(super) coalesced: &'a CoalescedStatements,
    pub(super) documents: &'a ListDocuments,
    viewer: &'a Viewer,
}

impl<'a> Tasks<'a> {
    pub(super) fn new(
        database: &'a Database,
        clock: &'a Clock,
        (coalesced, documents): (&'a CoalescedStatements, &'a ListDocuments),
        viewer: &'a Viewer,
    ) -> Self {
        Self { database: database.for_user(viewer.user_id()), clock, coalesced, documents, viewer }
    }

    /// The viewer.
    pub fn viewer(&self) -> &'a Viewer {
        self.viewer
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
            TaskScope::Trashed => {
                Column::DeletedAt.gt(self.now() - TRASH_RETENTION).and(Column::DeletedWithList.is_null())
            }
        })
    }

    /// The viewer's active tasks, for statements that find tasks by id.
    pub(super) fn active_by_id(&self) -> SimpleExpr {
        self.mine().and(is_active())
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The time by the clock that all instances share: on PostgreSQL that of the database.
    pub(super) async fn shared_now(&self, connection: &impl ConnectionTrait) -> Result<Instant> {
        if connection.get_database_backend() != DbBackend::Postgres {
            return Ok(self.now());
        }
        // Unlike now(), it advances in a transaction that has waited for a lock.
        let clock = Query::select().expr(Expr::cust("clock_timestamp()")).to_owned();
        let row = connection.query_one(&clock).await.map_err(map_error)?;
        let row = row.ok_or_else(|| Error::internal(anyhow::anyhow!("the database returned no time")))?;
        let now: Instant = row.try_get_by_index(0).map_err(map_error)?;
        Ok((now + self.clock.advanced_by()).trunc_subsecs(3))
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
        TaskRow::all(rows, &self.database.read()).await.map_err(map_error)
    }

    /// The viewer's active tasks with these ids, in the order of the ids, read together with those of other requests.
    /// Ids without a task are left out.
    pub async fn find_in_order(&self, ids: impl Iterator<Item = Uuid>) -> Result<Vec<Task>> {
        let reads = ids.map(|id| self.coalesced.tasks.submit((self.viewer.user_id(), id)));
        let tasks = futures_util::future::try_join_all(reads).await?;
        Ok(tasks.into_iter().flatten().collect())
    }

    /// The viewer's tasks with these ids, also those in the trash, in any order. It reads only the columns in
    /// `selected`.
    pub async fn find_any(&self, ids: &[Uuid], selected: TaskColumns) -> Result<Vec<Task>> {
        let mut tasks = Vec::with_capacity(ids.len());
        for batch in ids.chunks(IDS_PER_READ) {
            let rows = TaskRow::find_columns(selected.set()).filter(self.mine());
            let rows = rows.filter(Column::Id.is_in(batch.iter().copied()));
            let read = TaskRow::all_columns(rows, selected.set(), &self.database.read()).await;
            tasks.extend(read.map_err(map_error)?);
        }
        Ok(tasks)
    }

    /// Reads a page of the tasks in a scope that match a filter. It reads only the columns in `selected` and
    /// those that the order uses. The other fields have their default values.
    pub async fn list(
        &self,
        scope: TaskScope,
        filter: Option<&TaskFilter>,
        order: &[OrderKey],
        request: &PageRequest,
        selected: TaskColumns,
    ) -> Result<Page<Task>> {
        let ordered_by = order.iter().map(|key| task_query::column(key.field));
        let columns = ordered_by.fold(selected, TaskColumns::with_ordered_by).set();
        let select = TaskRow::find_columns(columns).filter(self.matching(scope, filter));
        let page = task_query::page(select, order, request);
        let tasks = TaskRow::all_columns(page, columns, &self.database.read()).await.map_err(map_error)?;
        Ok(Page::from_scan(tasks, request))
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

/// The paths of the files and folders that a task names, each once: first those in its texts, then those of its files.
pub fn paths_of_task<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    files: impl IntoIterator<Item = String>,
) -> Vec<String> {
    let mut paths = paths(texts);
    let mut known: HashSet<String> = paths.iter().cloned().collect();
    paths.extend(files.into_iter().filter(|path| known.insert(path.clone())));
    paths
}

/// The deleted accounts that still have rows. Their tasks no longer exist for clients.
pub(super) fn deleted_users() -> SelectStatement {
    let deleted = user::Entity::find().select_only().column(user::Column::Id);
    deleted.filter(user::Column::DeletedAt.is_not_null()).into_query()
}
