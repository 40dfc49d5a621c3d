//! Reads the sessions that other instances have revoked from the table `session_endings`, twice a second.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::{Duration, Instant};

use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::entity::session_ending;
use crate::db::map_error;
use crate::domain::{Error, Result};
use crate::service::Sessions;

/// The interval between polls. Every instance must apply a revocation within two seconds.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The maximum time to read or delete revocations: on a dead connection a statement would never return.
const POLL_TIMEOUT: Duration = Duration::from_secs(5);
/// The time that revocations are kept for other instances, measured from when this instance first read them.
/// Stored times are not compared with the clock, because an instance whose clock is ahead would delete
/// revocations that other instances have not read yet.
const RETENTION: Duration = Duration::from_secs(60);
/// The number of polls for each deletion of old revocations.
const POLLS_PER_CLEANUP: u64 = 60;
/// The number of revocations that one statement deletes.
const ROWS_PER_CLEANUP: usize = 500;

/// What the polls so far have found.
#[derive(Default)]
struct Polled {
    /// When this instance first read each of the revocations.
    first_read: HashMap<Uuid, Instant>,
    /// Whether revocations may have been written and deleted between two polls, and the sessions of streams
    /// have not been looked up since.
    may_have_missed_some: bool,
}

impl Sessions {
    /// Polls revocations and deletes old ones, until the last other reference to `sessions` is dropped.
    pub async fn poll_revocations(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(POLL_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut polled = Polled::default();
        for round in 1_u64.. {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            if let Err(error) = in_time(sessions.read_revocations(&mut polled)).await {
                tracing::debug!(%error, "revocations could not be read");
            }
            if round.is_multiple_of(POLLS_PER_CLEANUP)
                && let Err(error) = in_time(sessions.delete_revocations(&polled.first_read)).await
            {
                tracing::debug!(%error, "old revocations could not be deleted");
            }
        }
    }

    async fn read_revocations(&self, polled: &mut Polled) -> Result<()> {
        let read_at = Instant::now();
        let revoked: Vec<Uuid> = session_ending::Entity::find()
            .select_only()
            .column(session_ending::Column::SessionId)
            .into_tuple()
            .all(self.database.read())
            .await
            .map_err(map_error)?;
        let first_read = |id: &Uuid| polled.first_read.get(id).copied().unwrap_or(read_at);
        polled.first_read = revoked.iter().map(|id| (*id, first_read(id))).collect();
        polled.may_have_missed_some |= self.cache.is_stale();
        self.cache.apply_revocations(revoked.iter().copied(), read_at);
        self.streamed.end(&revoked);
        if polled.may_have_missed_some {
            self.end_streams_of_inactive_sessions().await?;
            polled.may_have_missed_some = false;
        }
        Ok(())
    }

    async fn delete_revocations(&self, first_read: &HashMap<Uuid, Instant>) -> Result<()> {
        let old = first_read.iter().filter(|(_, read_at)| read_at.elapsed() > RETENTION);
        let old: Vec<Uuid> = old.map(|(id, _)| *id).collect();
        for batch in old.chunks(ROWS_PER_CLEANUP) {
            let batch = session_ending::COLUMN.session_id.is_in(batch.iter().copied());
            let delete = session_ending::Entity::delete_many().filter(batch);
            delete.exec(self.database.write()).await.map_err(map_error)?;
        }
        Ok(())
    }
}

async fn in_time(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(POLL_TIMEOUT, work).await.unwrap_or(Err(Error::Timeout))
}
