//! The connection pool for both kinds of databases. A connection returns to the pool only when it is known to
//! be clean; otherwise it is closed immediately.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sea_orm::{ConnAcquireErr, DbBackend, DbErr, RuntimeErr, Statement};

use super::connection::{Connection, DriverConnection, PING_TIMEOUT, StatementResult, is_lost};
use super::postgres::{LOCK_TIMEOUT, PostgresConnector};
use super::sqlite::SqliteFile;
use super::writable::LastWrite;

/// The maximum time that a statement waits for a connection.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum time to open a connection. It is shorter than [`ACQUIRE_TIMEOUT`], so that the caller gets the
/// reason why opening failed.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(2_500);
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

/// A write without a visible effect: it sets an unused number in the header of SQLite's file.
const PROBE_WRITE_SQL: &str = "PRAGMA user_version = 0";
const IS_READ_ONLY_SQL: &str = "SELECT current_setting('transaction_read_only')";

/// The database that a pool connects to.
#[derive(Debug)]
pub enum Target {
    Postgres(Box<PostgresConnector>),
    Sqlite(SqliteFile),
}

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

/// A connection acquired from the pool. Dropping it returns the connection to the pool if it is clean and
/// closes it otherwise.
pub struct Lease {
    /// None only during `drop`.
    object: Option<Object<ConnectionManager>>,
    pool: Pool,
}

impl Lease {
    /// Runs a statement.
    pub async fn run(&mut self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let outcome = Connection::run(self, statement).await;
        self.pool.notify_observer(&statement.sql);
        self.record_result(outcome)
    }

    /// Runs SQL without parameters.
    pub async fn run_unprepared(&mut self, sql: &str, limit: Duration) -> Result<StatementResult, DbErr> {
        let outcome = Connection::run_unprepared(self, sql, limit).await;
        self.pool.notify_observer(sql);
        self.record_result(outcome)
    }

    /// Begins a transaction.
    pub async fn begin(&mut self, lock_timeout: Duration) -> Result<(), DbErr> {
        let begun = Connection::begin(self, lock_timeout).await;
        self.record_result(begun)
    }

    /// Commits and checks that SQLite has written to the file at the configured path.
    pub async fn commit(&mut self) -> Result<(), DbErr> {
        let committed = Connection::commit(self).await;
        self.record_result(committed)?;
        self.pool.record_write()
    }

    /// Runs a single statement in its own transaction.
    pub async fn run_in_transaction(
        &mut self,
        statement: &Statement,
        lock_timeout: Duration,
    ) -> Result<StatementResult, DbErr> {
        self.begin(lock_timeout).await?;
        match self.run(statement).await {
            Ok(outcome) => self.commit().await.map(|()| outcome),
            Err(error) => {
                // If this fails, the connection is not clean and is therefore closed.
                let _ = self.roll_back().await;
                Err(error)
            }
        }
    }

    fn record_result<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &outcome {
            self.record_error(error);
        }
        outcome
    }

    /// Updates the state of the pool after an error.
    fn record_error(&self, error: &DbErr) {
        if self.pool.backend() == DbBackend::Sqlite && !self.is_clean() {
            self.pool.0.last_write.mark_doubtful();
        }
        // When several connections are lost together, only the first error retires the others.
        let is_current = self.generation == self.pool.0.generation.load(Ordering::Relaxed);
        let has_timed_out = matches!(error, DbErr::ConnectionAcquire(_));
        // A busy pooler also times out, which tells nothing about the other connections.
        let affects_all = is_lost(error) && (self.has_session_limits || !has_timed_out);
        if is_current && self.pool.backend() == DbBackend::Postgres && affects_all {
            self.pool.retire();
        }
        if has_timed_out {
            self.pool.0.timeouts_in_a_row.fetch_max(1, Ordering::Relaxed);
        }
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.object.as_ref().expect("the object is present until drop")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.object.as_mut().expect("the object is present until drop")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        if object.is_clean() {
            object.last_used = Instant::now();
        } else {
            drop(Object::take(object));
        }
    }
}

/// Opens connections for the pool and decides which ones may be reused.
#[derive(Debug)]
struct ConnectionManager {
    target: Arc<Target>,
    generation: Arc<AtomicU64>,
    /// The number of consecutive connection attempts that timed out. A connection that does not reply counts
    /// as one attempt.
    timeouts_in_a_row: Arc<AtomicU32>,
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
