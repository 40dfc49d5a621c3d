//! Acquires connections from the pool and pings those that may have been lost.

use std::time::Duration;

use deadpool::managed::PoolError;
use sea_orm::{ConnAcquireErr, DbErr};

use super::connections::Pool;
use super::lease::Lease;
use crate::db::timeouts::ACQUIRE_TIMEOUT;

/// A connection that has been idle for this time is pinged before it is used for any kind of statement,
/// because a firewall may have dropped the connection without notice.
const CHECK_AFTER_IDLE: Duration = Duration::from_secs(30);

/// When a connection is pinged before it is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LivenessCheck {
    /// After [`CHECK_AFTER_IDLE`]: for statements that may be sent again, because the statement itself
    /// detects a lost connection.
    AfterIdle,
    Always,
}

impl Pool {
    /// Acquires a connection within [`ACQUIRE_TIMEOUT`].
    pub async fn acquire(&self, check: LivenessCheck) -> Result<Lease, DbErr> {
        let acquired = tokio::time::timeout(ACQUIRE_TIMEOUT, async {
            loop {
                let object = self.0.connections.get().await.map_err(|error| match error {
                    PoolError::Backend(error) => error,
                    PoolError::Closed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
                    _ => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
                })?;
                let mut lease = Lease { object: Some(object), pool: self.clone() };
                let is_new = lease.last_used == lease.created_at;
                let must_ping =
                    check == LivenessCheck::Always || lease.last_used.elapsed() > CHECK_AFTER_IDLE;
                if is_new || !must_ping {
                    return Ok(lease);
                }
                match lease.ping().await {
                    Ok(()) => return Ok(lease),
                    // Try again: the pool may open a new connection or have one that replies.
                    Err(error) => lease.record_error(&error),
                }
            }
        });
        acquired.await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }
}
