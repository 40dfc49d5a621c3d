//! Opens the connections of a pool and decides which ones may be reused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use sea_orm::{ConnAcquireErr, DbErr};

use crate::db::connection::{Connection, DriverConnection};
use crate::db::postgres::PostgresConnector;
use crate::db::sqlite::SqliteFile;
use crate::db::timeouts::PING_TIMEOUT;

/// The maximum time to open a connection. It is shorter than
/// [`ACQUIRE_TIMEOUT`](crate::db::timeouts::ACQUIRE_TIMEOUT), so that the caller gets the reason why opening
/// failed.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(2_500);

/// No connection lives longer than this, because the server process of a connection caches more and more
/// data.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The database that a pool connects to.
#[derive(Debug)]
pub enum Target {
    Postgres(Box<PostgresConnector>),
    Sqlite(SqliteFile),
}

/// Opens connections for the pool and decides which ones may be reused.
#[derive(Debug)]
pub struct ConnectionManager {
    pub(super) target: Arc<Target>,
    pub(super) generation: Arc<AtomicU64>,
    /// The number of consecutive connection attempts that timed out. A connection that does not reply counts
    /// as one attempt.
    pub(super) timeouts_in_a_row: Arc<AtomicU32>,
}

impl ConnectionManager {
    async fn connect(&self, generation: u64) -> Result<Connection, DbErr> {
        // Boxed, because the future that opens a connection is large, and every caller's future would contain
        // it.
        match &*self.target {
            Target::Postgres(connector) => {
                let (connection, has_limits) = Box::pin(connector.connect()).await?;
                Ok(Connection::new(DriverConnection::Postgres(connection), has_limits, generation))
            }
            Target::Sqlite(file) => {
                let (connection, deadline) = Box::pin(file.connect()).await?;
                Ok(Connection::new(DriverConnection::Sqlite(connection, deadline), true, generation))
            }
        }
    }
}

impl Manager for ConnectionManager {
    type Type = Connection;
    type Error = DbErr;

    async fn create(&self) -> Result<Connection, DbErr> {
        let generation = self.generation.load(Ordering::Relaxed);
        // While the server does not reply, each attempt occupies a slot of the pool that is needed as soon as
        // the server replies again. Therefore attempts are short, except for every fourth one, because
        // opening a connection may be slow in general.
        let is_full_attempt = self.timeouts_in_a_row.load(Ordering::Relaxed).is_multiple_of(4);
        let limit = if is_full_attempt { CONNECT_TIMEOUT } else { PING_TIMEOUT };
        let connected = tokio::time::timeout(limit, self.connect(generation)).await;
        match connected {
            Ok(_) => self.timeouts_in_a_row.store(0, Ordering::Relaxed),
            Err(_) => drop(self.timeouts_in_a_row.fetch_add(1, Ordering::Relaxed)),
        }
        connected.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<DbErr> {
        let is_usable = connection.is_clean()
            && connection.generation == self.generation.load(Ordering::Relaxed)
            && connection.created_at.elapsed() < MAX_LIFETIME;
        if is_usable {
            Ok(())
        } else {
            Err(RecycleError::message(
                "the connection is not clean, belongs to an old generation or is too old",
            ))
        }
    }
}
