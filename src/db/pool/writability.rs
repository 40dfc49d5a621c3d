//! Checks whether the database accepts writes, and records when it last did.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, DbBackend, DbErr, RuntimeErr};

use super::{LivenessCheck, Pool, Target};
use crate::db::connection::{PING_TIMEOUT, is_lost};
use crate::db::postgres::LOCK_TIMEOUT;

/// The time during which a successful write counts as recent. It is longer than
/// [`ACQUIRE_TIMEOUT`](super::ACQUIRE_TIMEOUT).
const RECENT_WRITE: Duration = Duration::from_secs(4);

/// A write without a visible effect: it sets an unused number in the header of SQLite's file.
const PROBE_WRITE_SQL: &str = "PRAGMA user_version = 0";
const IS_READ_ONLY_SQL: &str = "SELECT current_setting('transaction_read_only')";

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

impl Pool {
    /// Checks that SQLite's file has not been moved or replaced.
    pub fn check_file(&self) -> Result<(), DbErr> {
        match &*self.0.target {
            Target::Sqlite(file) => file.check(),
            Target::Postgres(_) => Ok(()),
        }
    }

    /// Records that the database has just accepted a write, after checking that SQLite has written to the
    /// file at the configured path.
    pub fn record_write(&self) -> Result<(), DbErr> {
        self.check_file()?;
        self.0.last_write.record();
        Ok(())
    }

    /// Checks that the database accepts writes. When all connections are in use, a recent successful write is
    /// sufficient.
    pub async fn check_writable(&self) -> Result<(), DbErr> {
        self.check_file()?;
        match self.probe_writable(LivenessCheck::AfterIdle).await {
            Err(error) if is_lost(&error) => self.probe_writable(LivenessCheck::Always).await,
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) if self.0.last_write.is_recent() => Ok(()),
            result => result,
        }
    }

    async fn probe_writable(&self, check: LivenessCheck) -> Result<(), DbErr> {
        let mut lease = self.acquire(check).await?;
        match self.backend() {
            // A server that has become a standby keeps its existing connections open.
            DbBackend::Postgres => {
                let limit = lease.ping_timeout();
                let result = lease.run_unprepared(IS_READ_ONLY_SQL, limit).await?;
                let is_read_only = result.rows.first().map(|row| row.try_get_by_index::<String>(0));
                if is_read_only.transpose()?.as_deref() != Some("off") {
                    self.retire();
                    return Err(DbErr::Conn(RuntimeErr::Internal(
                        "the server does not accept writes".to_owned(),
                    )));
                }
            }
            _ => {
                let is_doubtful = self.0.last_write.is_doubtful();
                lease.begin(LOCK_TIMEOUT).await?;
                if !is_doubtful {
                    lease.roll_back().await?;
                    return self.check_file();
                }
                lease.run_unprepared(PROBE_WRITE_SQL, PING_TIMEOUT).await?;
                lease.commit().await?;
            }
        }
        self.record_write()
    }
}
