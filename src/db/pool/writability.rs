//! Checks whether the database accepts writes.

use sea_orm::{ConnAcquireErr, DbBackend, DbErr, RuntimeErr};

use super::acquire::LivenessCheck;
use super::connections::Pool;
use crate::db::connection::is_lost;
use crate::db::timeouts::{LOCK_TIMEOUT, PING_TIMEOUT};

/// A write without a visible effect: it sets an unused number in the header of SQLite's file.
const PROBE_WRITE_SQL: &str = "PRAGMA user_version = 0";
const IS_READ_ONLY_SQL: &str = "SELECT current_setting('transaction_read_only')";

impl Pool {
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
