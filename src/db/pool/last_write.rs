//! The time of the last write that the database accepted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time during which a successful write counts as recent. It is longer than
/// [`ACQUIRE_TIMEOUT`](crate::db::timeouts::ACQUIRE_TIMEOUT).
const RECENT_WRITE: Duration = Duration::from_secs(4);

/// The time of the last successful write or writability check.
pub struct LastWrite {
    start: Instant,
    /// Milliseconds since `start`, plus one. Zero: no success yet, or none since a connection was lost.
    at: AtomicU64,
    /// Whether a write has failed since then, for example because the disk was full.
    is_doubtful: AtomicBool,
}

impl Default for LastWrite {
    fn default() -> Self {
        Self { start: Instant::now(), at: AtomicU64::new(0), is_doubtful: AtomicBool::new(false) }
    }
}

impl LastWrite {
    /// Records that the database has just accepted a write.
    pub fn record(&self) {
        self.at.store(self.now() + 1, Ordering::Relaxed);
        self.is_doubtful.store(false, Ordering::Relaxed);
    }

    /// Records that it is unknown whether writes are accepted.
    pub fn clear(&self) {
        self.at.store(0, Ordering::Relaxed);
    }

    /// Records that a write has failed, so that only another write can show whether writes succeed again.
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
