//! How an instance learns which sessions ended on others: it reads the table of endings twice a second.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::{Duration, Instant};

use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::entity::session_ending;
use crate::db::map_error;
use crate::domain::{Error, Result};
use crate::service::Sessions;

/// How often endings are read. Every instance has to know within two seconds.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long reading or deleting them may take: a connection that died without a word would never answer.
const POLL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long endings are kept for other instances to read, from when this one has read them. No clock is
/// compared with what is stored: one that is ahead would delete what the others have not read yet.
const RETENTION: Duration = Duration::from_secs(60);
/// How many rounds of reading there are for one of deleting.
const POLLS_PER_CLEANUP: u64 = 60;
/// How many endings one statement deletes.
const ROWS_PER_CLEANUP: usize = 500;

impl Sessions {
    /// Reads what ended elsewhere, and deletes what every instance has read, for as long as the sessions are
    /// in use elsewhere.
    pub async fn poll_revocations(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(POLL_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // When this instance read each of the endings first.
        let mut first_read: HashMap<Uuid, Instant> = HashMap::new();
        for round in 1_u64.. {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            if let Err(error) = in_time(sessions.read_revocations(&mut first_read)).await {
                tracing::debug!(%error, "endings of sessions could not be read");
            }
            if round.is_multiple_of(POLLS_PER_CLEANUP)
                && let Err(error) = in_time(sessions.delete_revocations(&first_read)).await
            {
                tracing::debug!(%error, "old endings of sessions could not be deleted");
            }
        }
    }

    async fn read_revocations(&self, first_read: &mut HashMap<Uuid, Instant>) -> Result<()> {
        let read_at = Instant::now();
        let revoked: Vec<Uuid> = session_ending::Entity::find()
            .select_only()
            .column(session_ending::Column::SessionId)
            .into_tuple()
            .all(self.database.read())
            .await
            .map_err(map_error)?;
        *first_read =
            revoked.iter().map(|id| (*id, first_read.get(id).copied().unwrap_or(read_at))).collect();
        self.cache.apply_revocations(revoked, read_at);
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
