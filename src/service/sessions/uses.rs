//! The note of when a session was used last. It is written in the background, for many sessions at a time,
//! so that no request waits for it, and none fails if it cannot be written.

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

/// A use is noted when the last one is further away.
const USE_PRECISION: TimeDelta = TimeDelta::minutes(1);
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// How many sessions one statement notes.
const SESSIONS_PER_WRITE: usize = 500;
/// Uses beyond this number are not noted, so that a database that does not answer costs no memory.
const MAX_PENDING_SESSIONS: usize = 10_000;

/// The sessions whose use is to be noted.
#[derive(Default)]
pub(in crate::service) struct PendingUses(Mutex<HashSet<Uuid>>);

impl PendingUses {
    /// Adds a session, unless its last use is as good as this one.
    pub fn add(&self, session: Uuid, last_used_at: Instant, now: Instant) {
        // A last use that lies ahead is of a clock that was.
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
    /// Notes which sessions were used, for as long as the sessions are in use elsewhere.
    pub async fn write_uses(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(WRITE_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            sessions.write_pending_uses().await;
        }
    }

    /// Notes the uses that wait to be noted.
    pub(in crate::service) async fn write_pending_uses(&self) {
        for batch in self.uses.take().chunks(SESSIONS_PER_WRITE) {
            if let Err(error) = self.write_last_used(batch).await {
                tracing::debug!(%error, "uses of sessions could not be noted");
            }
        }
    }

    async fn write_last_used(&self, used: &[Uuid]) -> Result<()> {
        let now = self.clock.now();
        // Sessions that are locked are being refreshed or ended, and are left out: a statement that waits for
        // several locks could cause a deadlock.
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
