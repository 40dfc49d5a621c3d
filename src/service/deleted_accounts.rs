//! Deletes the rows of accounts that were marked as deleted. Clients cannot reach these rows anymore. The
//! statements are short, so that other writes run between them. The job continues after a restart, and
//! several instances may run it at the same time.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DeleteMany, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::db::entity::{change_head, checklist_item, file_change, risk, session, task, task_list, user};
use crate::db::{Database, in_transaction, map_error};
use crate::domain::{Error, Result};
use crate::service::task_rows::without_index;

/// The interval at which this job looks for accounts that were marked by other instances or before a restart.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// The number of small rows that one statement deletes.
const ROWS_PER_DELETE: u64 = 500;
/// The number of tasks that one statement deletes. It is lower, because a task has up to 200 KB of text and
/// is in eight indexes.
const TASKS_PER_DELETE: u64 = 100;
/// The number of task lists that one statement deletes: each can have a document of 2 MB.
const LISTS_PER_DELETE: u64 = 10;

/// Deletes the rows of accounts that are marked as deleted.
pub struct DeletedAccounts {
    database: Database,
    purge_requested: Arc<Notify>,
}

impl DeletedAccounts {
    pub fn new(database: Database) -> Self {
        Self { database, purge_requested: Arc::default() }
    }

    /// The handle to notify when an account has been marked.
    pub fn purge_requested(&self) -> Arc<Notify> {
        self.purge_requested.clone()
    }

    /// Deletes the rows of marked accounts, until the last other reference to `accounts` is dropped.
    pub async fn purge(accounts: Weak<Self>) {
        loop {
            let Some(accounts) = accounts.upgrade() else { return };
            let purge_requested = accounts.purge_requested();
            if let Err(error) = accounts.purge_all().await {
                tracing::warn!(%error, "the rows of a deleted account could not be deleted yet");
            }
            drop(accounts);
            // The result is ignored: the job looks again after a notification and after the interval.
            let _ = tokio::time::timeout(CHECK_INTERVAL, purge_requested.notified()).await;
        }
    }

    async fn purge_all(&self) -> Result<()> {
        loop {
            let marked = user::Entity::find().select_only().column(user::Column::Id);
            let marked = marked.filter(user::Column::DeletedAt.is_not_null());
            let oldest = marked.order_by_asc(user::Column::DeletedAt).limit(1).into_tuple::<Uuid>();
            let Some(id) = oldest.one(self.database.read()).await.map_err(map_error)? else { return Ok(()) };
            if !self.purge_account(id).await? {
                return Ok(());
            }
            tracing::info!(user_id = %id, "the rows of a deleted account are deleted");
        }
    }

    /// Deletes the rows of an account. Returns false when others use them, so that the job has to try again later.
    async fn purge_account(&self, id: Uuid) -> Result<bool> {
        let sessions = session::Column::UserId.eq(id);
        self.delete_in_chunks::<session::Entity>(session::Column::Id, sessions, ROWS_PER_DELETE).await?;
        loop {
            let tasks = task::Entity::find().select_only().column(task::Column::Id);
            let tasks =
                tasks.filter(task::Column::OwnerId.eq(id)).limit(TASKS_PER_DELETE).into_tuple::<Uuid>();
            let tasks: Vec<Uuid> = tasks.all(self.database.read()).await.map_err(map_error)?;
            if tasks.is_empty() {
                break;
            }
            self.purge_tasks(id, &tasks).await?;
        }
        let lists = task_list::Column::OwnerId.eq(id);
        self.delete_in_chunks::<task_list::Entity>(task_list::Column::Id, lists, LISTS_PER_DELETE).await?;
        self.purge_user(id).await
    }

    /// Deletes the row of an account, which is the last one, because it carries the mark. Rows that another
    /// instance has added after the others were deleted are deleted with it (ON DELETE CASCADE).
    async fn purge_user(&self, id: Uuid) -> Result<bool> {
        let head = change_head::Entity::delete_many().filter(change_head::Column::Owner.eq(id));
        let user = user::Entity::delete_many().filter(user::Column::Id.eq(id));
        let user = user.filter(user::Column::DeletedAt.is_not_null());
        let done = in_transaction!(self.database, |transaction| {
            // The insert of a task also locks the counter before the account.
            head.clone().exec(&transaction).await.map_err(map_error)?;
            user.clone().exec(&transaction).await.map_err(map_error)?;
            Ok(true)
        });
        match done {
            // The account is still marked, so it is deleted later.
            Err(Error::WriteConflict | Error::Locked) => Ok(false),
            done => done,
        }
    }

    /// Deletes tasks, after their task parts, of which there may be many. Each statement checks the owner
    /// again, because another user may have created a task with the same id in the meantime.
    async fn purge_tasks(&self, owner: Uuid, tasks: &[Uuid]) -> Result<()> {
        let owned = without_index(task::Column::OwnerId.eq(owner));
        let owned = task::Column::Id.is_in(tasks.iter().copied()).and(owned);
        let ids = task::Entity::find().select_only().column(task::Column::Id).filter(owned.clone());
        let ids = || ids.clone().into_query();
        let items = checklist_item::Column::TaskId.in_subquery(ids());
        self.delete_in_chunks::<checklist_item::Entity>(checklist_item::Column::Id, items, ROWS_PER_DELETE)
            .await?;
        let risks = risk::Column::TaskId.in_subquery(ids());
        self.delete_in_chunks::<risk::Entity>(risk::Column::Id, risks, ROWS_PER_DELETE).await?;
        let files = file_change::Column::TaskId.in_subquery(ids());
        self.delete_in_chunks::<file_change::Entity>(file_change::Column::Id, files, ROWS_PER_DELETE).await?;
        self.delete_paced(task::Entity::delete_many().filter(owned)).await.map(drop)
    }

    /// Deletes the rows that meet a condition, up to `rows` per statement.
    async fn delete_in_chunks<E: EntityTrait>(
        &self,
        id: E::Column,
        condition: SimpleExpr,
        rows: u64,
    ) -> Result<()> {
        loop {
            let ids = E::find().select_only().column(id).filter(condition.clone()).limit(rows);
            if self.delete_paced(E::delete_many().filter(id.in_subquery(ids.into_query()))).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Runs one statement and then pauses for as long as the statement took, so that other writes get at
    /// least half of the time of SQLite's writer.
    async fn delete_paced<E: EntityTrait>(&self, delete: DeleteMany<E>) -> Result<u64> {
        let begun = Instant::now();
        let done = delete.exec(self.database.write()).await.map_err(map_error);
        tokio::time::sleep(begun.elapsed()).await;
        match done {
            Ok(done) => Ok(done.rows_affected),
            // Another instance is deleting the same rows. The caller tries again because the count is not
            // zero.
            Err(Error::WriteConflict | Error::Locked) => Ok(1),
            Err(error) => Err(error),
        }
    }
}
