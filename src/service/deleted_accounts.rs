//! The rows of accounts that were deleted. An account is gone for everybody once it is marked as deleted;
//! what is left of it is deleted here, in steps that are short enough for other writes to go on between
//! them, and which go on after a restart. Several instances may do so at once.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DeleteMany, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::db::entity::{checklist_item, file_change, risk, session, task, user};
use crate::db::{Database, map_error};
use crate::domain::{Error, Result};
use crate::service::tasks::without_index;

/// How often accounts are looked for that another instance has marked, or this one before a restart.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// How many small rows one step deletes.
const ROWS_PER_DELETE: u64 = 500;
/// How many tasks one step deletes: a row has up to 200 KB of text, and is in eight indexes.
const TASKS_PER_DELETE: u64 = 100;

/// Deletes the rows of accounts that are marked as deleted.
pub struct DeletedAccounts {
    database: Database,
    purge_requested: Arc<Notify>,
}

impl DeletedAccounts {
    pub fn new(database: Database) -> Self {
        Self { database, purge_requested: Arc::default() }
    }

    /// What to notify when an account has been marked.
    pub fn purge_requested(&self) -> Arc<Notify> {
        self.purge_requested.clone()
    }

    /// Deletes what is left of deleted accounts, for as long as this is in use elsewhere.
    pub async fn purge(accounts: Weak<Self>) {
        loop {
            let Some(accounts) = accounts.upgrade() else { return };
            let purge_requested = accounts.purge_requested();
            if let Err(error) = accounts.purge_all().await {
                tracing::warn!(%error, "the rows of a deleted account could not be deleted yet");
            }
            drop(accounts);
            // Whether it was notified or not, it looks again.
            let _ = tokio::time::timeout(CHECK_INTERVAL, purge_requested.notified()).await;
        }
    }

    async fn purge_all(&self) -> Result<()> {
        loop {
            let marked = user::Entity::find().select_only().column(user::Column::Id);
            let marked = marked.filter(user::Column::DeletedAt.is_not_null());
            let oldest = marked.order_by_asc(user::Column::DeletedAt).limit(1).into_tuple::<Uuid>();
            let Some(id) = oldest.one(self.database.read()).await.map_err(map_error)? else { return Ok(()) };
            self.purge_account(id).await?;
            tracing::info!(user_id = %id, "the rows of a deleted account are deleted");
        }
    }

    async fn purge_account(&self, id: Uuid) -> Result<()> {
        self.delete_in_chunks::<session::Entity>(session::Column::Id, session::Column::UserId.eq(id)).await?;
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
        // Last of all, since it is the mark: what another instance has added in the meantime goes with it.
        let user = user::Entity::delete_many().filter(user::Column::Id.eq(id));
        self.delete_paced(user.filter(user::Column::DeletedAt.is_not_null())).await.map(drop)
    }

    /// Deletes a few tasks, after the parts in them, which may be very many. Each statement asks for the owner
    /// again: somebody else may have made a task with the same id in the meantime.
    async fn purge_tasks(&self, owner: Uuid, tasks: &[Uuid]) -> Result<()> {
        let owned = without_index(task::Column::OwnerId.eq(owner));
        let owned = task::Column::Id.is_in(tasks.iter().copied()).and(owned);
        let ids = task::Entity::find().select_only().column(task::Column::Id).filter(owned.clone());
        let ids = || ids.clone().into_query();
        let items = checklist_item::Column::TaskId.in_subquery(ids());
        self.delete_in_chunks::<checklist_item::Entity>(checklist_item::Column::Id, items).await?;
        self.delete_in_chunks::<risk::Entity>(risk::Column::Id, risk::Column::TaskId.in_subquery(ids()))
            .await?;
        let files = file_change::Column::TaskId.in_subquery(ids());
        self.delete_in_chunks::<file_change::Entity>(file_change::Column::Id, files).await?;
        self.delete_paced(task::Entity::delete_many().filter(owned)).await.map(drop)
    }

    /// Deletes the rows that meet a condition, a few at a time.
    async fn delete_in_chunks<E: EntityTrait>(&self, id: E::Column, condition: SimpleExpr) -> Result<()> {
        loop {
            let ids = E::find().select_only().column(id).filter(condition.clone()).limit(ROWS_PER_DELETE);
            if self.delete_paced(E::delete_many().filter(id.in_subquery(ids.into_query()))).await? == 0 {
                return Ok(());
            }
        }
    }

    /// One statement. Afterwards nothing is done for as long as it took, so that half of the time of
    /// SQLite's one writer is left to others.
    async fn delete_paced<E: EntityTrait>(&self, delete: DeleteMany<E>) -> Result<u64> {
        let begun = Instant::now();
        let done = delete.exec(self.database.write()).await.map_err(map_error);
        tokio::time::sleep(begun.elapsed()).await;
        match done {
            Ok(done) => Ok(done.rows_affected),
            // Another instance deletes the same rows: it looks again.
            Err(Error::WriteConflict | Error::Locked) => Ok(1),
            Err(error) => Err(error),
        }
    }
}
