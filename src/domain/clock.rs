//! The one place that reads the time, so that a test can let a week pass in no time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// The time of the service: the system's, plus what was skipped with [`Clock::advance`].
#[derive(Clone, Debug, Default)]
pub struct Clock {
    skipped_ms: Arc<AtomicI64>,
}

impl Clock {
    /// Now, in whole milliseconds: SQLite keeps what it gets and PostgreSQL microseconds, so a finer
    /// instant would not come back the same from both.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let skipped = TimeDelta::milliseconds(self.skipped_ms.load(Ordering::Relaxed));
        (Utc::now() + skipped).trunc_subsecs(3)
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: TimeDelta) {
        self.skipped_ms.fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }
}
