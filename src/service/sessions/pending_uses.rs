//! The sessions or API keys whose last use is not written to the database yet.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::Instant;

/// A use is recorded when the last recorded one is older than this.
const USE_PRECISION: TimeDelta = TimeDelta::minutes(1);
/// Further uses are not recorded, so that the memory for them is bounded while the database does not reply.
const MAX_PENDING: usize = 10_000;

/// The ids of those whose last use is to be written, each with what is written about the use.
pub struct PendingUses<T>(Mutex<HashMap<Uuid, T>>);

impl<T> Default for PendingUses<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> PendingUses<T> {
    /// Adds a use, unless the last use that was recorded is within [`USE_PRECISION`].
    pub fn add(&self, id: Uuid, about: T, last_used_at: Option<Instant>, now: Instant) {
        // The absolute difference, because a last use in the future was recorded with a wrong clock.
        if last_used_at.is_some_and(|last| (now - last).abs() <= USE_PRECISION) {
            return;
        }
        let mut pending = self.0.lock().expect("no holder panics");
        if pending.len() < MAX_PENDING {
            pending.insert(id, about);
        }
    }

    /// Removes and returns all.
    pub fn take(&self) -> HashMap<Uuid, T> {
        std::mem::take(&mut *self.0.lock().expect("no holder panics"))
    }
}
