//! When the database accepted a write last.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A write is recent for this time. It is a little longer than the wait for a connection.
const RECENT_WRITE: Duration = Duration::from_secs(4);

/// When a write or a question whether writes are accepted succeeded last.
pub struct LastWrite {
    start: Instant,
    /// Milliseconds since `start`, plus one; 0: never, or not since a connection was lost.
    at: AtomicU64,
    /// Whether a write has failed since, for want of space for example.
    is_doubtful: AtomicBool,
}

impl Default for LastWrite {
    fn default() -> Self {
        Self { start: Instant::now(), at: AtomicU64::new(0), is_doubtful: AtomicBool::new(false) }
    }
}

impl LastWrite {
    /// Notes that the database has just accepted a write.
    pub fn record(&self) {
        self.at.store(self.now() + 1, Ordering::Relaxed);
        self.is_doubtful.store(false, Ordering::Relaxed);
    }

    /// Notes that it is unknown whether writes are accepted.
    pub fn clear(&self) {
        self.at.store(0, Ordering::Relaxed);
    }

    /// Notes that a write has failed, and that only another one can tell whether writes succeed again.
    pub fn mark_doubtful(&self) {
        self.is_doubtful.store(true, Ordering::Relaxed);
        self.clear();
    }

    pub fn is_doubtful(&self) -> bool {
        self.is_doubtful.load(Ordering::Relaxed)
    }

    /// Whether the last success is recent.
    pub fn is_recent(&self) -> bool {
        let at = self.at.load(Ordering::Relaxed);
        at > 0 && u128::from(self.now().saturating_sub(at - 1)) < RECENT_WRITE.as_millis()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
