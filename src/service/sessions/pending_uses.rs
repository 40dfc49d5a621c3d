//! The sessions whose last use is not written to the database yet.

use std::collections::HashSet;
use std::sync::Mutex;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::Instant;

/// A use is recorded when the last recorded one is older than this.
const USE_PRECISION: TimeDelta = TimeDelta::minutes(1);
/// Further uses are not recorded, so that the memory for them is bounded while the database does not reply.
const MAX_PENDING_SESSIONS: usize = 10_000;

/// The sessions whose last use is to be written.
#[derive(Default)]
pub struct PendingUses(Mutex<HashSet<Uuid>>);

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

    /// Removes and returns all sessions.
    pub fn take(&self) -> Vec<Uuid> {
        std::mem::take(&mut *self.0.lock().expect("no holder panics")).into_iter().collect()
    }
}
