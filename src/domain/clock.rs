//! The only code that reads the system time, so that tests can advance the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The clock of the service: the system time, plus the sum of all calls of [`Clock::advance`].
#[derive(Clone, Debug, Default)]
pub struct Clock {
    skipped_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The current time in whole milliseconds. A finer time would not be read back equal from both databases:
    /// SQLite stores what it is given, and PostgreSQL stores microseconds.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        (Utc::now() + self.advanced_by()).trunc_subsecs(3)
    }

    /// The sum of all calls of [`Clock::advance`], for statements that use the clock of the database.
    pub fn advanced_by(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.skipped_ms.load(Ordering::Relaxed))
    }

    /// Moves this clock and all of its clones forward. Only tests use it.
    pub fn advance(&self, by: TimeDelta) {
        self.skipped_ms.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}
