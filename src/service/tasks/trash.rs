//! Deletes tasks and lists permanently that have been in the trash for too long, and claims that ended long ago.

use std::sync::Weak;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::IntoCondition;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use tokio::time::Instant;

use crate::db::entity::task::{Column, Entity};
use crate::db::entity::{claim, session, task_list, user};
use crate::db::{Database, map_error};
use crate::domain::{Clock, Error, Result};
use crate::service::tasks::TRASH_RETENTION;

const PURGE_INTERVAL: Duration = Duration::from_secs(3600);
/// The number of tasks, with up to a thousand parts each, that one statement deletes. Other writes run
/// between the statements.
const TASKS_PER_PURGE: u64 = 10;
/// The number of task lists, each with its document, that one statement deletes.
const LISTS_PER_PURGE: u64 = 10;
/// The number of claims that one statement deletes. An ended claim is kept as long as a deleted task.
const CLAIMS_PER_PURGE: u64 = 1_000;
/// A clock that is further ahead of the latest time in the database may be wrong.
const MAX_CLOCK_JUMP: TimeDelta = TimeDelta::days(7);
/// The time that an operator has to correct a wrong clock before tasks are deleted by it.
const CLOCK_JUMP_DELAY: Duration = Duration::from_secs(24 * 3600);

/// Purges the trash of all users.
pub struct Trash {
    database: Database,
    clock: Clock,
    started_at: DateTime<Utc>,
}

impl Trash {
    pub fn new(database: Database, clock: Clock) -> Self {
        let started_at = clock.now();
        Self { database, clock, started_at }
    }

    /// Deletes expired tasks regularly, until the last other reference to `trash` is dropped. Several
    /// instances may run this job at the same time.
    pub async fn purge(trash: Weak<Self>) {
        let mut is_clock_checked = false;
        let mut interval = tokio::time::interval(PURGE_INTERVAL);
        loop {
            interval.tick().await;
            let Some(trash) = trash.upgrade() else { return };
            match trash.purge_once(&mut is_clock_checked).await {
                Ok(Some(0)) => {}
                Ok(Some(count)) => tracing::info!(count, "expired tasks were deleted from the trash"),
                Ok(None) => {
                    interval = tokio::time::interval_at(Instant::now() + CLOCK_JUMP_DELAY, PURGE_INTERVAL);
                }
                Err(error) => tracing::warn!(%error, "the trash could not be purged"),
            }
        }
    }

    /// Deletes expired tasks, lists and claims, and returns the number of the tasks. Returns None when nothing may be
    /// deleted yet, because
    /// the clock may be wrong.
    async fn purge_once(&self, is_clock_checked: &mut bool) -> Result<Option<u64>> {
        if !*is_clock_checked {
            let latest = self.latest_time().await?;
            *is_clock_checked = true;
            if let Some(latest) = latest.filter(|latest| self.started_at - *latest > MAX_CLOCK_JUMP) {
                tracing::warn!(
                    clock = %self.started_at,
                    %latest,
                    "the clock is more than 7 days ahead of the latest time in the database: check it; nothing is \
                     deleted from the trash for 24 hours"
                );
                return Ok(None);
            }
        }
        // One time for all, so that the tasks of an expired list have expired too.
        let expired_at = self.clock.now() - TRASH_RETENTION;
        let count = self.delete_expired(expired_at).await?;
        // Lists come after their tasks, of which there may be many.
        let (id, deleted_at) = (task_list::Column::Id, task_list::Column::DeletedAt);
        self.delete_old(id, deleted_at, expired_at, LISTS_PER_PURGE).await?;
        self.delete_old(claim::Column::Id, claim::Column::ExpiresAt, expired_at, CLAIMS_PER_PURGE).await?;
        Ok(Some(count))
    }

    /// The latest time that was recorded before this instance started, from columns that are cheap to search.
    /// Each use of a session is recorded, and so each change of a task is covered.
    async fn latest_time(&self) -> Result<Option<DateTime<Utc>>> {
        let used = self.latest_in(session::Entity, session::Column::LastUsedAt).await?;
        let changed = self.latest_in(user::Entity, user::Column::UpdatedAt).await?;
        let deleted = self.latest_in(Entity, Column::DeletedAt).await?;
        Ok(used.max(changed).max(deleted))
    }

    async fn latest_in<E: EntityTrait>(&self, _: E, column: E::Column) -> Result<Option<DateTime<Utc>>> {
        let latest = E::find()
            .select_only()
            .column_as(column.max(), "latest")
            // Times that this instance has recorded itself do not show whether its clock is right.
            .filter(column.lt(self.started_at).into_condition());
        let latest = latest.into_tuple::<Option<DateTime<Utc>>>().one(self.database.read()).await;
        Ok(latest.map_err(map_error)?.flatten())
    }

    /// Deletes the tasks that were moved to the trash at this time or before, and returns their number.
    async fn delete_expired(&self, expired_at: DateTime<Utc>) -> Result<u64> {
        let is_expired = Column::DeletedAt.lte(expired_at);
        let mut count = 0;
        loop {
            // The deletion locks the counter of the owner, and other statements that lock several counters have an
            // order for them. So a batch has one owner.
            let expired = || Entity::find().select_only().filter(is_expired.clone());
            let oldest = expired().order_by_asc(Column::DeletedAt).limit(1);
            let owner = oldest.column(Column::OwnerId).into_query();
            let batch = expired().column(Column::Id).filter(Column::OwnerId.in_subquery(owner));
            let batch = batch.order_by_asc(Column::DeletedAt).limit(TASKS_PER_PURGE).into_query();
            // The condition is repeated, because a task may have been restored since its id was selected.
            let delete =
                Entity::delete_many().filter(Column::Id.in_subquery(batch)).filter(is_expired.clone());
            match delete.exec(self.database.write()).await.map_err(map_error) {
                Ok(deleted) if deleted.rows_affected == 0 => return Ok(count),
                Ok(deleted) => count += deleted.rows_affected,
                // Another instance is purging the same tasks, or a user is restoring one.
                Err(Error::WriteConflict | Error::Locked) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Deletes the rows with this time or an earlier one, at most `batch` with each statement.
    async fn delete_old<C>(&self, id: C, time: C, expired_at: DateTime<Utc>, batch: u64) -> Result<()>
    where
        C: ColumnTrait,
        C::EntityName: EntityTrait,
    {
        let is_old = time.lte(expired_at);
        loop {
            let old = <C::EntityName as EntityTrait>::find().select_only().column(id);
            let old = old.filter(is_old.clone()).limit(batch).into_query();
            let delete = <C::EntityName as EntityTrait>::delete_many()
                .filter(id.in_subquery(old))
                .filter(is_old.clone());
            match delete.exec(self.database.write()).await.map_err(map_error) {
                Ok(deleted) if deleted.rows_affected == 0 => return Ok(()),
                Ok(_) => {}
                // Another instance is deleting the same rows, or a user is restoring a list.
                Err(Error::WriteConflict | Error::Locked) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
