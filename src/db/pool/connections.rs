//! The connections to one database and the state that they share.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use deadpool::managed::{self, QueueMode};
use sea_orm::{DbBackend, DbErr};

use super::last_write::LastWrite;
use super::manager::{ConnectionManager, MAX_LIFETIME, Target};
use crate::db::jobs::is_job;

/// A connection that has been idle for this time is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The interval at which idle and old connections are closed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// The maximum time that closing the pool waits for connections in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
const CLOSE_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Called with the SQL of each statement, and whether a background job runs it.
pub type Observer = Arc<dyn Fn(&str, bool) + Send + Sync>;

/// The connections to one database.
#[derive(Clone)]
pub struct Pool(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) connections: managed::Pool<ConnectionManager>,
    target: Arc<Target>,
    backend: DbBackend,
    pub(super) generation: Arc<AtomicU64>,
    pub(super) timeouts_in_a_row: Arc<AtomicU32>,
    pub(super) last_write: LastWrite,
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

    /// Closes all connections that were opened before now: idle ones immediately, the others when they return
    /// to the pool. It is called when one of them was lost or its server rejects writes, because the others
    /// belong to the same server.
    pub fn retire(&self) {
        self.0.generation.fetch_add(1, Ordering::Relaxed);
        self.0.last_write.clear();
        self.0.connections.retain(|_, _| false);
    }

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

    /// The number of open connections, and the number of idle ones.
    pub fn status(&self) -> (usize, usize) {
        let status = self.0.connections.status();
        (status.size, status.available)
    }

    /// Calls `observer` with the SQL of each statement from now on, and whether a background job runs it. Only the
    /// first call has an effect.
    pub fn observe(&self, observer: Observer) {
        let _ = self.0.observer.set(observer);
    }

    pub(super) fn notify_observer(&self, sql: &str) {
        if let Some(observer) = self.0.observer.get() {
            observer(sql, is_job());
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
