//! What goes out of the trash for good.

use std::sync::Weak;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::IntoCondition;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use tokio::time::Instant;

use crate::db::entity::task::{Column, Entity};
use crate::db::entity::{session, user};
use crate::db::{Database, map_error};
use crate::domain::{Clock, Error, Result};
use crate::service::tasks::TRASH_RETENTION;

const PURGE_INTERVAL: Duration = Duration::from_secs(3600);
/// Tasks that go at once, with up to a thousand parts each: other writes have their turn in between.
const TASKS_PER_PURGE: u64 = 10;
/// A clock that is further ahead of the latest time in the database may be wrong.
const MAX_CLOCK_JUMP: TimeDelta = TimeDelta::days(7);
/// How long the operator has to set a wrong clock right before anything is deleted by it.
const CLOCK_JUMP_DELAY: Duration = Duration::from_secs(24 * 3600);

/// Empties the trash of all users.
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

    /// Deletes what has been in the trash for too long, for as long as anybody else holds it. Several
    /// instances may do so at once.
    pub async fn purge(trash: Weak<Self>) {
        let mut is_clock_checked = false;
        let mut interval = tokio::time::interval(PURGE_INTERVAL);
        loop {
            interval.tick().await;
            let Some(trash) = trash.upgrade() else { return };
            match trash.purge_once(&mut is_clock_checked).await {
                Ok(Some(0)) => {}
                Ok(Some(count)) => tracing::info!(count, "tasks went out of the trash for good"),
                Ok(None) => {
                    interval = tokio::time::interval_at(Instant::now() + CLOCK_JUMP_DELAY, PURGE_INTERVAL);
                }
                Err(error) => tracing::warn!(%error, "the trash could not be emptied"),
            }
        }
    }

    /// How many tasks went. None: nothing may go yet, since the clock may be wrong.
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
        self.delete_expired().await.map(Some)
    }

    /// The latest time that was recorded before this instance started, in columns that are cheap to look
    /// through. Each use of a session is recorded, and so each change of a task is.
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
            // What this instance has recorded itself says nothing about its clock.
            .filter(column.lt(self.started_at).into_condition());
        let latest = latest.into_tuple::<Option<DateTime<Utc>>>().one(self.database.read()).await;
        Ok(latest.map_err(map_error)?.flatten())
    }

    /// How many tasks went.
    async fn delete_expired(&self) -> Result<u64> {
        let is_expired = Column::DeletedAt.lte(self.clock.now() - TRASH_RETENTION);
        let mut count = 0;
        loop {
            let batch = Entity::find().select_only().column(Column::Id).filter(is_expired.clone());
            let batch = batch.order_by_asc(Column::DeletedAt).limit(TASKS_PER_PURGE).into_query();
            // Asked again of each task: it may have been brought back since it was chosen.
            let delete =
                Entity::delete_many().filter(Column::Id.in_subquery(batch)).filter(is_expired.clone());
            match delete.exec(self.database.write()).await.map_err(map_error) {
                Ok(deleted) if deleted.rows_affected == 0 => return Ok(count),
                Ok(deleted) => count += deleted.rows_affected,
                // Another instance empties it as well, or somebody brings a task back.
                Err(Error::WriteConflict | Error::Locked) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
