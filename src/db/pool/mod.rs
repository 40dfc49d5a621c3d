//! The connection pool for both kinds of databases. A connection returns to the pool only when it is known to
//! be clean; otherwise it is closed immediately.

mod lease;
mod manager;
mod writability;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use deadpool::managed::{self, PoolError, QueueMode};
use sea_orm::{ConnAcquireErr, DbBackend, DbErr};

pub use self::lease::Lease;
pub use self::manager::Target;

use self::manager::ConnectionManager;
use self::writability::LastWrite;

/// The maximum time that a statement waits for a connection.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that has been idle for this time is pinged before it is used for any kind of statement,
/// because a firewall may have dropped the connection without notice.
const CHECK_AFTER_IDLE: Duration = Duration::from_secs(30);
/// A connection that has been idle for this time is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// No connection lives longer than this, because the server process of a connection caches more and more
/// data.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// The interval at which idle and old connections are closed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// The maximum time that closing the pool waits for connections in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
const CLOSE_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// When a connection is pinged before it is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LivenessCheck {
    /// After [`CHECK_AFTER_IDLE`]: for statements that may be sent again, because the statement itself
    /// detects a lost connection.
    AfterIdle,
    Always,
}

/// Called with the SQL of each statement.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// The connections to one database.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    connections: managed::Pool<ConnectionManager>,
    target: Arc<Target>,
    backend: DbBackend,
    generation: Arc<AtomicU64>,
    timeouts_in_a_row: Arc<AtomicU32>,
    last_write: LastWrite,
    observer: OnceLock<Observer>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pool({:?})", self.0.backend)
    }
}

impl Pool {
    /// Creates a pool of at most `size` connections, which are opened on demand.
    pub fn new(target: Arc<Target>, size: u32) -> Self {
        let backend = match *target {
            Target::Postgres(_) => DbBackend::Postgres,
            Target::Sqlite(_) => DbBackend::Sqlite,
        };
        let generation = Arc::new(AtomicU64::new(0));
        let timeouts_in_a_row = Arc::new(AtomicU32::new(0));
        let connector = ConnectionManager {
            target: target.clone(),
            generation: generation.clone(),
            timeouts_in_a_row: timeouts_in_a_row.clone(),
        };
        // The most recently used connections are used first, so that the others become idle and are closed.
        let connections =
            managed::Pool::builder(connector).max_size(size as usize).queue_mode(QueueMode::Lifo);
        let connections = connections.build().expect("deadpool has no timeouts that need a runtime");
        let (last_write, observer) = (LastWrite::default(), OnceLock::new());
        let inner =
            Inner { connections, target, backend, generation, timeouts_in_a_row, last_write, observer };
        let pool = Self(Arc::new(inner));
        tokio::spawn(sweep(Arc::downgrade(&pool.0)));
        pool
    }

    pub fn backend(&self) -> DbBackend {
        self.0.backend
    }

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

    /// Closes all connections that were opened before now: idle ones immediately, the others when they return
    /// to the pool. It is called when one of them was lost or its server rejects writes, because the others
    /// belong to the same server.
    pub fn retire(&self) {
        self.0.generation.fetch_add(1, Ordering::Relaxed);
        self.0.last_write.clear();
        self.0.connections.retain(|_, _| false);
    }

    /// The number of open connections, and the number of idle ones.
    pub fn status(&self) -> (usize, usize) {
        let status = self.0.connections.status();
        (status.size, status.available)
    }

    /// Calls `observer` with the SQL of each statement from now on. Only the first call has an effect.
    pub fn observe(&self, observer: Observer) {
        let _ = self.0.observer.set(observer);
    }

    fn notify_observer(&self, sql: &str) {
        if let Some(observer) = self.0.observer.get() {
            observer(sql);
        }
    }

    /// Closes all connections and waits until they are closed, so that SQLite has copied the write-ahead log
    /// into its file.
    pub async fn close(&self) {
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        loop {
            for connection in self.0.connections.retain(|_, _| false).removed {
                if let Err(error) = connection.close().await {
                    tracing::debug!(%error, "a connection to the database could not be closed");
                }
            }
            if self.0.connections.status().size == 0 || Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(CLOSE_POLL_INTERVAL).await;
        }
        self.0.connections.close();
    }
}

/// Closes connections that have been idle for too long or are too old, until the pool is dropped.
async fn sweep(pool: std::sync::Weak<Inner>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        pool.connections.retain(|connection, _| {
            connection.last_used.elapsed() < IDLE_TIMEOUT && connection.created_at.elapsed() < MAX_LIFETIME
        });
    }
}
