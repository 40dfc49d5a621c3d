//! The background job that deletes expired and excess sessions.

use std::sync::Weak;
use std::time::Duration;

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::entity::session::{COLUMN, Column, Entity};
use crate::db::map_error;
use crate::domain::{Error, Result};
use crate::service::Sessions;
use crate::service::sessions::limit::{MAX_SESSIONS, SESSIONS_PER_DELETE, delete_by_ids, trim_sessions};

/// The number of users with excess sessions that one query reads.
const USERS_PER_READ: u64 = 100;
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60);
/// The number of cleanups of expired sessions for each search for users with excess sessions. Excess sessions
/// only exist when they were created before the limit was introduced, or by an older version on the same
/// database.
const CLEANUPS_PER_FULL_TRIM: u64 = 60;

impl Sessions {
    /// Deletes expired and excess sessions regularly, until the last other reference to `sessions` is
    /// dropped. Several instances may run this job at the same time.
    pub async fn delete_old(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(CLEANUP_INTERVAL);
        for round in 0_u64.. {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            let is_full_trim = round.is_multiple_of(CLEANUPS_PER_FULL_TRIM);
            match sessions.delete_expired().await {
                Ok(()) if !is_full_trim => {}
                Ok(()) => sessions.trim_all().await.unwrap_or_else(report),
                Err(error) => report(error),
            }
        }
    }

    async fn delete_expired(&self) -> Result<()> {
        loop {
            // Ids are read first, because reading does not block SQLite's writer.
            let expired = Entity::find().select_only().column(Column::Id);
            let expired = expired.filter(COLUMN.expires_at.lte(self.clock.now())).limit(SESSIONS_PER_DELETE);
            let mut ids: Vec<Uuid> =
                expired.into_tuple().all(self.database.read()).await.map_err(map_error)?;
            ids.sort_unstable();
            if ids.is_empty() {
                return Ok(());
            }
            delete_by_ids(&self.database, &ids, self.clock.now()).await?;
        }
    }

    async fn trim_all(&self) -> Result<()> {
        loop {
            // Expired sessions are not counted, because trimming does not delete them.
            let live = Entity::find().filter(COLUMN.expires_at.gt(self.clock.now()));
            let users = live.select_only().column(Column::UserId).group_by(Column::UserId);
            let users = users.having(Column::Id.count().gt(MAX_SESSIONS)).limit(USERS_PER_READ);
            let users = users.into_tuple::<Uuid>().all(self.database.read()).await.map_err(map_error)?;
            if users.is_empty() {
                return Ok(());
            }
            for user in users {
                let revoked = trim_sessions(&self.database, user, None, self.clock.now()).await?;
                self.mark_revoked(&revoked);
                tracing::info!(user_id = %user, count = revoked.len(), "sessions beyond the limit were revoked");
            }
        }
    }
}

fn report(error: Error) {
    tracing::debug!(%error, "old sessions could not be deleted");
}
