//! Records when sessions were last used. The times are written in the background, for many sessions per
//! statement, so that no request waits for the write or fails because of it.

use std::collections::HashSet;
use std::sync::{Mutex, Weak};
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::entity::session::{COLUMN, Column, Entity};
use crate::db::map_error;
use crate::domain::{Instant, Result};
use crate::service::Sessions;

/// A use is recorded when the last recorded one is older than this.
const USE_PRECISION: TimeDelta = TimeDelta::minutes(1);
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// The number of sessions that one statement updates.
const SESSIONS_PER_WRITE: usize = 500;
/// Further uses are not recorded, so that the memory for them is bounded while the database does not reply.
const MAX_PENDING_SESSIONS: usize = 10_000;

/// The sessions whose last use is to be written.
#[derive(Default)]
pub(in crate::service) struct PendingUses(Mutex<HashSet<Uuid>>);

impl PendingUses {
    /// Adds a session, unless its recorded last use is within [`USE_PRECISION`].
    pub fn add(&self, session: Uuid, last_used_at: Instant, now: Instant) {
        // The absolute difference, because a last use in the future was recorded with a wrong clock.
        if (now - last_used_at).abs() <= USE_PRECISION {
            return;
        }
        let mut sessions = self.0.lock().expect("no holder panics");
        if sessions.len() < MAX_PENDING_SESSIONS {
            sessions.insert(session);
        }
    }

    fn take(&self) -> Vec<Uuid> {
        std::mem::take(&mut *self.0.lock().expect("no holder panics")).into_iter().collect()
    }
}

impl Sessions {
    /// Writes last uses regularly, until the last other reference to `sessions` is dropped.
    pub async fn write_uses(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(WRITE_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            sessions.write_pending_uses().await;
        }
    }

    /// Writes the pending last uses.
    pub(in crate::service) async fn write_pending_uses(&self) {
        for batch in self.uses.take().chunks(SESSIONS_PER_WRITE) {
            if let Err(error) = self.write_last_used(batch).await {
                tracing::debug!(%error, "the last uses of sessions could not be written");
            }
        }
    }

    async fn write_last_used(&self, used: &[Uuid]) -> Result<()> {
        let now = self.clock.now();
        // Locked sessions are being refreshed or revoked and are skipped: a statement that waits for several
        // locks could cause a deadlock.
        let unlocked = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(COLUMN.id.is_in(used.iter().copied()))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let update = Entity::update_many()
            .filter(COLUMN.id.in_subquery(unlocked))
            .col_expr(Column::LastUsedAt, Expr::val(now));
        update.exec(self.database.write()).await.map_err(map_error).map(drop)
    }
}
