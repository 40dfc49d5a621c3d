//! The pool of connections to one database, the same for both kinds. A connection goes back into it only
//! when it is known to be clean; in every other case it is closed at once.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sea_orm::{ConnAcquireErr, DbBackend, DbErr, RuntimeErr, Statement};

use super::connection::{Connection, Driver, PING_TIMEOUT, StatementResult, is_lost};
use super::postgres::{LOCK_TIMEOUT, PostgresConnector};
use super::sqlite::SqliteFile;
use super::writable::Writable;

/// How long a statement waits for a connection.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long making a connection may take; shorter, so that it is known why the wait was in vain.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(2_500);
/// A connection that has been idle for this time is asked whether it answers before it is used, for any kind of
/// statement: a firewall between the server and the database may have dropped it silently.
const CHECK_AFTER_IDLE: Duration = Duration::from_secs(30);
/// A connection that has been idle for this time is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The process of the server grows with what it has cached for its connection, so none lives longer.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// How often the pool looks for connections that are idle or old.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// How long closing waits for connections that are still used.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
const CLOSE_PAUSE: Duration = Duration::from_millis(10);

/// A write that changes nothing that anybody reads: a number in the head of SQLite's file.
const SMALLEST_WRITE_SQL: &str = "PRAGMA user_version = 0";
const IS_READ_ONLY_SQL: &str = "SELECT current_setting('transaction_read_only')";

/// Opens connections of one kind.
#[derive(Debug)]
pub enum Target {
    Postgres(Box<PostgresConnector>),
    Sqlite(SqliteFile),
}

/// Whether a connection is asked if it answers before it is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// For statements that may be sent again: a lost connection is found by the statement itself.
    WhenRested,
    Always,
}

/// Is told each statement, for a test.
pub type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// Connections to one database.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    connections: managed::Pool<Connector>,
    target: Arc<Target>,
    backend: DbBackend,
    generation: Arc<AtomicU64>,
    unanswered: Arc<AtomicU32>,
    writable: Writable,
    observer: OnceLock<Observer>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pool({:?})", self.0.backend)
    }
}

impl Pool {
    /// A pool of at most `size` connections, which are made when they are needed.
    pub fn new(target: Arc<Target>, size: u32) -> Self {
        let backend = match *target {
            Target::Postgres(_) => DbBackend::Postgres,
            Target::Sqlite(_) => DbBackend::Sqlite,
        };
        let generation = Arc::new(AtomicU64::new(0));
        let unanswered = Arc::new(AtomicU32::new(0));
        let connector = Connector {
            target: target.clone(),
            generation: generation.clone(),
            unanswered: unanswered.clone(),
        };
        // The connections that were used last are used first, so that the others become idle and are closed.
        let connections =
            managed::Pool::builder(connector).max_size(size as usize).queue_mode(QueueMode::Lifo);
        let connections = connections.build().expect("no time limit of the pool's own needs a runtime");
        let (writable, observer) = (Writable::default(), OnceLock::new());
        let inner = Inner { connections, target, backend, generation, unanswered, writable, observer };
        let pool = Self(Arc::new(inner));
        tokio::spawn(sweep(Arc::downgrade(&pool.0)));
        pool
    }

    pub fn backend(&self) -> DbBackend {
        self.0.backend
    }

    /// Takes a connection within [`ACQUIRE_TIMEOUT`].
    pub async fn get(&self, check: Check) -> Result<Lease, DbErr> {
        let taken = tokio::time::timeout(ACQUIRE_TIMEOUT, async {
            loop {
                let object = self.0.connections.get().await.map_err(|error| match error {
                    PoolError::Backend(error) => error,
                    PoolError::Closed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
                    _ => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
                })?;
                let mut lease = Lease { object: Some(object), pool: self.clone() };
                let is_new = lease.last_used == lease.made;
                let is_asked = check == Check::Always || lease.last_used.elapsed() > CHECK_AFTER_IDLE;
                if is_new || !is_asked {
                    return Ok(lease);
                }
                match lease.ping().await {
                    Ok(()) => return Ok(lease),
                    // The next connection may be made now, or be one that answers.
                    Err(error) => lease.note(&error),
                }
            }
        });
        taken.await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }

    /// Fails when SQLite's file is not where it was.
    pub fn check_file(&self) -> Result<(), DbErr> {
        match &*self.0.target {
            Target::Sqlite(file) => file.check(),
            Target::Postgres(_) => Ok(()),
        }
    }

    /// Notes that the database has just accepted a write, if SQLite has written it into the file that the next
    /// start will find.
    pub fn note_write(&self) -> Result<(), DbErr> {
        self.check_file()?;
        self.0.writable.note();
        Ok(())
    }

    /// Fails unless the database accepts writes. While all connections are in use, a write that succeeded
    /// a moment ago is enough.
    pub async fn check_writable(&self) -> Result<(), DbErr> {
        self.check_file()?;
        match self.ask_whether_writable(Check::WhenRested).await {
            Err(error) if is_lost(&error) => self.ask_whether_writable(Check::Always).await,
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) if self.0.writable.is_recent() => Ok(()),
            answer => answer,
        }
    }

    async fn ask_whether_writable(&self, check: Check) -> Result<(), DbErr> {
        let mut lease = self.get(check).await?;
        match self.backend() {
            // A server that became a standby keeps its connections.
            DbBackend::Postgres => {
                let limit = lease.ping_timeout();
                let answer = lease.run_unprepared(IS_READ_ONLY_SQL, limit).await?;
                let is_read_only = answer.rows.first().map(|row| row.try_get_by_index::<String>(0));
                if is_read_only.transpose()?.as_deref() != Some("off") {
                    self.retire();
                    return Err(DbErr::Conn(RuntimeErr::Internal("the server accepts no writes".to_owned())));
                }
            }
            _ => {
                let is_doubtful = self.0.writable.is_doubtful();
                lease.begin(LOCK_TIMEOUT).await?;
                if !is_doubtful {
                    lease.roll_back().await?;
                    return self.check_file();
                }
                lease.run_unprepared(SMALLEST_WRITE_SQL, PING_TIMEOUT).await?;
                lease.commit().await?;
            }
        }
        self.note_write()
    }

    /// Closes all connections that were made before now, the idle ones at once and the others when they come
    /// back: one of them was lost or refuses writes, and the others have the same server.
    pub fn retire(&self) {
        self.0.generation.fetch_add(1, Ordering::Relaxed);
        self.0.writable.forget();
        self.0.connections.retain(|_, _| false);
    }

    /// How many connections there are, and how many of them are idle.
    pub fn status(&self) -> (usize, usize) {
        let status = self.0.connections.status();
        (status.size, status.available)
    }

    /// Tells each statement that is run from now on. Only the first call has an effect.
    pub fn observe(&self, observer: Observer) {
        let _ = self.0.observer.set(observer);
    }

    fn observed(&self, sql: &str) {
        if let Some(observer) = self.0.observer.get() {
            observer(sql);
        }
    }

    /// Closes every connection and waits until that is done, so that SQLite has written all of the
    /// write-ahead log into its file.
    pub async fn close(&self) {
        let give_up = Instant::now() + CLOSE_TIMEOUT;
        loop {
            for connection in self.0.connections.retain(|_, _| false).removed {
                if let Err(error) = connection.close().await {
                    tracing::debug!(%error, "a connection to the database could not be closed");
                }
            }
            if self.0.connections.status().size == 0 || Instant::now() > give_up {
                break;
            }
            tokio::time::sleep(CLOSE_PAUSE).await;
        }
        self.0.connections.close();
    }
}

/// Closes the connections that are idle for too long, or that are old, for as long as there is a pool.
async fn sweep(pool: std::sync::Weak<Inner>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        pool.connections.retain(|connection, _| {
            connection.last_used.elapsed() < IDLE_TIMEOUT && connection.made.elapsed() < MAX_LIFETIME
        });
    }
}

/// A connection that is taken from the pool. When it is dropped it goes back if it is clean, and is closed
/// else.
pub struct Lease {
    /// None only while it is dropped.
    object: Option<Object<Connector>>,
    pool: Pool,
}

impl Lease {
    /// Runs a statement.
    pub async fn run(&mut self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let outcome = Connection::run(self, statement).await;
        self.pool.observed(&statement.sql);
        self.noted(outcome)
    }

    /// Runs SQL without values.
    pub async fn run_unprepared(&mut self, sql: &str, limit: Duration) -> Result<StatementResult, DbErr> {
        let outcome = Connection::run_unprepared(self, sql, limit).await;
        self.pool.observed(sql);
        self.noted(outcome)
    }

    /// Begins a transaction.
    pub async fn begin(&mut self, lock_timeout: Duration) -> Result<(), DbErr> {
        let begun = Connection::begin(self, lock_timeout).await;
        self.noted(begun)
    }

    /// Commits, and makes sure that SQLite has written into the file that the next start will find.
    pub async fn commit(&mut self) -> Result<(), DbErr> {
        let committed = Connection::commit(self).await;
        self.noted(committed)?;
        self.pool.note_write()
    }

    /// Runs a statement in a transaction of its own.
    pub async fn run_in_transaction(
        &mut self,
        statement: &Statement,
        lock_timeout: Duration,
    ) -> Result<StatementResult, DbErr> {
        self.begin(lock_timeout).await?;
        match self.run(statement).await {
            Ok(outcome) => self.commit().await.map(|()| outcome),
            Err(error) => {
                // A connection that cannot roll back is not clean, and so is closed.
                let _ = self.roll_back().await;
                Err(error)
            }
        }
    }

    fn noted<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &outcome {
            self.note(error);
        }
        outcome
    }

    /// Draws the conclusions of an error for the other connections.
    fn note(&self, error: &DbErr) {
        if self.pool.backend() == DbBackend::Sqlite && !self.is_clean() {
            self.pool.0.writable.doubt();
        }
        // Of several that are lost together the first retires the others.
        let is_current = self.generation == self.pool.0.generation.load(Ordering::Relaxed);
        let is_silent = matches!(error, DbErr::ConnectionAcquire(_));
        // A pooler that is busy is silent too, and says nothing about the other connections.
        let concerns_all = is_lost(error) && (self.has_session_limits || !is_silent);
        if is_current && self.pool.backend() == DbBackend::Postgres && concerns_all {
            self.pool.retire();
        }
        if is_silent {
            self.pool.0.unanswered.fetch_max(1, Ordering::Relaxed);
        }
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.object.as_ref().expect("it is taken only when it is dropped")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.object.as_mut().expect("it is taken only when it is dropped")
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

/// Makes connections for the pool, and decides which may be used again.
#[derive(Debug)]
struct Connector {
    target: Arc<Target>,
    generation: Arc<AtomicU64>,
    /// How many attempts to connect, one after the other, got no answer in time. A connection that does not
    /// answer counts as one.
    unanswered: Arc<AtomicU32>,
}

impl Connector {
    async fn connect(&self, generation: u64) -> Result<Connection, DbErr> {
        // Boxed: making a connection takes so much room that everybody who may have to make one would
        // carry it.
        match &*self.target {
            Target::Postgres(connector) => {
                let (connection, has_limits) = Box::pin(connector.connect()).await?;
                Ok(Connection::new(Driver::Postgres(connection), has_limits, generation))
            }
            Target::Sqlite(file) => {
                let (connection, deadline) = Box::pin(file.connect()).await?;
                Ok(Connection::new(Driver::Sqlite(connection, deadline), true, generation))
            }
        }
    }
}

impl Manager for Connector {
    type Type = Connection;
    type Error = DbErr;

    async fn create(&self) -> Result<Connection, DbErr> {
        let generation = self.generation.load(Ordering::Relaxed);
        // An attempt at a server that is silent holds a place in the pool, which is needed as soon as the
        // server answers again. Every fourth attempt has all the time, since connecting may always be slow.
        let has_all_time = self.unanswered.load(Ordering::Relaxed).is_multiple_of(4);
        let limit = if has_all_time { CONNECT_TIMEOUT } else { PING_TIMEOUT };
        let made = tokio::time::timeout(limit, self.connect(generation)).await;
        match made {
            Ok(_) => self.unanswered.store(0, Ordering::Relaxed),
            Err(_) => drop(self.unanswered.fetch_add(1, Ordering::Relaxed)),
        }
        made.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<DbErr> {
        let is_usable = connection.is_clean()
            && connection.generation == self.generation.load(Ordering::Relaxed)
            && connection.made.elapsed() < MAX_LIFETIME;
        if is_usable { Ok(()) } else { Err(RecycleError::message("it is not clean, lost or old")) }
    }
}
