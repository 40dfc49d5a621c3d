//! The database, whichever it is: how it is opened, migrated and asked whether it lives, and what its
//! errors mean. The only module that opens connections.

mod coalescer;
mod database_url;
#[expect(clippy::disallowed_methods, reason = "the derive macro of the entities calls them")]
pub(crate) mod entity;
mod single;

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait, sqlx,
};

use crate::domain::{Error, Result};
pub(crate) use coalescer::Coalescer;
pub use database_url::DatabaseUrl;
pub(crate) use sea_orm::DatabaseTransaction as Transaction;
use single::Single;

/// How long a statement waits for a connection.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a statement may take.
pub(crate) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two tries to open a file that is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How many steps of SQLite's machine pass between two looks at the time.
const STEPS: i32 = 10_000;
/// How often a write is tried again after it collided with others.
const RETRIES: u32 = 3;
/// The key of the advisory lock that lets one instance migrate at a time: "taskhold" as a number.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"taskhold");

/// The connections to one database. SQLite has one writer and many readers, so writes have a pool of one
/// connection there. On PostgreSQL statements that stand alone have half of the connections.
#[derive(Clone, Debug)]
pub struct Database {
    read: Single,
    write: DatabaseConnection,
    write_again: Single,
}

impl Database {
    /// Opens the pools and makes sure that the database answers.
    pub async fn connect(url: &DatabaseUrl, max_connections: u32) -> anyhow::Result<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::connect_sqlite(path, max_connections).await,
            DatabaseUrl::Postgres(url) => Self::connect_postgres(url.expose(), max_connections).await,
        }
    }

    async fn connect_sqlite(path: &std::path::Path, max_connections: u32) -> anyhow::Result<Self> {
        make_private(path)?;
        let file = path.to_owned();
        let open = |connections| {
            let file = file.clone();
            let mut options = pool("sqlite::memory:".to_owned(), connections);
            options.map_sqlx_sqlite_opts(move |_| {
                SqliteConnectOptions::new()
                    .filename(&file)
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    // FULL: a commit is on the disk before it is acknowledged.
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(STATEMENT_TIMEOUT)
                    .statement_cache_capacity(200)
                    .disable_statement_logging()
            });
            options
        };
        let write = connect_patiently(open(1)).await?;
        let mut reading = open(max_connections);
        reading.map_sqlx_sqlite_pool_opts(|pool| {
            pool.before_acquire(|connection, _| Box::pin(limit_statement(connection))).after_connect(
                |connection, _| Box::pin(async { limit_statement(connection).await.map(drop) }),
            )
        });
        let read = connect_patiently(reading).await?;
        Ok(Self { read: Single::shared(read), write_again: Single::shared(write.clone()), write })
    }

    async fn connect_postgres(url: &str, max_connections: u32) -> anyhow::Result<Self> {
        let alone = max_connections / 2;
        let options = PgConnectOptions::from_str(url)?
            // A pooler refuses start-up parameters that it does not know.
            .extra_float_digits(None)
            .application_name("taskhold")
            // Statements hold values, and values are the users' own.
            .disable_statement_logging();
        let limited =
            options.clone().options([("statement_timeout", STATEMENT_TIMEOUT.as_millis().to_string())]);
        let open = |options: &PgConnectOptions| {
            let (options, mut pool) = (options.clone(), pool(url.to_owned(), max_connections - alone));
            pool.map_sqlx_postgres_opts(move |_| options.clone());
            sea_orm::Database::connect(pool)
        };
        let (write, options) = match open(&limited).await {
            Err(error) if is_protocol_violation(&error) => {
                tracing::info!("a pooler is in front: set statement_timeout on the database role");
                (open(&options).await, options)
            }
            other => (other, limited),
        };
        match write {
            Ok(write) => {
                let single = match alone {
                    0 => Single::shared(write.clone()),
                    _ => Single::own(options, alone as usize),
                };
                Ok(Self { write_again: single.clone(), read: single, write })
            }
            // The pool goes on trying a server that refuses, and forgets what it said.
            Err(error) => Err(why_not(url).await.unwrap_or(error.into())),
        }
    }

    /// The connection for statements that change nothing.
    pub(crate) fn read(&self) -> &Single {
        &self.read
    }

    /// The connection for a write of one statement that does the same when it comes twice.
    pub(crate) fn write_again(&self) -> &Single {
        &self.write_again
    }

    /// The connection for a write of one statement.
    pub(crate) fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// A transaction that may write from its first statement on: SQLite refuses to turn a reading one
    /// into a writing one when somebody else has written meanwhile.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        let sqlite_transaction_mode = (self.write.get_database_backend() == DbBackend::Sqlite)
            .then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
        self.write.begin_with_options(options).await.map_err(map_error)
    }

    /// Closes the connections, so that SQLite writes everything into its one file. The writer goes last.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.read.close().await?;
        Ok(self.write.close_by_ref().await?)
    }

    /// Fails while the database does not answer.
    pub async fn ping(&self) -> Result<()> {
        self.read.ping().await.map_err(map_error)
    }

    /// How many connections there are in each state.
    pub fn connections(&self) -> [(&'static str, usize); 2] {
        fn count<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> (usize, usize) {
            (pool.size() as usize, pool.num_idle())
        }
        let (write, read) = match (self.write.get_database_backend(), self.read.pool()) {
            (DbBackend::Postgres, _) => {
                (count(self.write.get_postgres_connection_pool()), self.read.own_connections())
            }
            (_, pool) => {
                let read = pool.map_or((0, 0), |pool| count(pool.get_sqlite_connection_pool()));
                (count(self.write.get_sqlite_connection_pool()), read)
            }
        };
        let (all, idle) = (write.0 + read.0, write.1 + read.1);
        // The two are not read at the same instant.
        [("used", all.saturating_sub(idle)), ("idle", idle)]
    }

    /// Applies the migrations that are missing, in one transaction; of several instances at once, one.
    pub async fn migrate_up(&self) -> anyhow::Result<()> {
        let transaction = self.begin_migration().await?;
        Migrator::up(&transaction, None).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes the newest migration back.
    pub async fn migrate_down(&self) -> anyhow::Result<()> {
        let transaction = self.begin_migration().await?;
        Migrator::down(&transaction, Some(1)).await?;
        Ok(transaction.commit().await?)
    }

    async fn begin_migration(&self) -> anyhow::Result<Transaction> {
        let transaction = self.begin().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            // Bound to the transaction: a session's lock would be lost behind a pooler.
            transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
            let lock = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
            transaction.execute_unprepared(&lock).await?;
        }
        Ok(transaction)
    }

    /// The name of every migration and whether it is applied, oldest first.
    pub async fn migrations(&self) -> anyhow::Result<Vec<(String, bool)>> {
        let migrations = Migrator::get_migration_with_status_read_only(&self.write).await?;
        let applied = migration::MigrationStatus::Applied;
        Ok(migrations.iter().map(|each| (each.name().to_owned(), each.status() == applied)).collect())
    }

    /// Adds to the database whatever the entities have and it has not: for the test that this is nothing.
    #[doc(hidden)]
    pub async fn sync_entities(&self) -> anyhow::Result<()> {
        use entity::{checklist_item, file_change, login_attempt, risk, session, session_ending, task, user};
        let entities = self.write.get_schema_builder();
        let entities = entities
            .register(user::Entity)
            .register(session::Entity)
            .register(session_ending::Entity)
            .register(login_attempt::Entity)
            .register(task::Entity)
            .register(checklist_item::Entity)
            .register(risk::Entity)
            .register(file_change::Entity);
        Ok(entities.sync(&self.write).await?)
    }

    /// Tells each statement that is run from now on, for a test that counts them.
    #[doc(hidden)]
    pub fn observe(&mut self, observer: impl Fn(&str) + Clone + Send + Sync + 'static) {
        self.read.observe(observer.clone());
        self.write_again.observe(observer.clone());
        self.write.set_metric_callback(move |info| observer(&info.statement.sql));
    }

    /// The connection, for a test that looks at the tables themselves.
    #[doc(hidden)]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.write
    }
}

/// Runs a body in a transaction: all of it happens or nothing. When it collides with others it is run
/// again, up to three times. A macro, since a closure that borrows could not be sent between threads. Its
/// parts are boxed: they are large, and every caller of a caller would carry them about.
macro_rules! in_transaction {
    ($database:expr, |$transaction:ident| $body:expr) => {{
        let mut tries = $crate::db::Tries::default();
        loop {
            let $transaction = Box::pin($database.begin()).await?;
            let done = Box::pin(async { $body }).await;
            if let Some(outcome) = Box::pin(tries.finish($transaction, done)).await {
                break outcome;
            }
        }
    }};
}
pub(crate) use in_transaction;

/// The tries of one transaction: when it collides with others it is run again, up to three times.
#[derive(Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// Commits what was done, or takes it back after an error. None: it collided, do it all again.
    pub async fn finish<T>(&mut self, transaction: Transaction, done: Result<T>) -> Option<Result<T>> {
        let outcome = match done {
            Ok(value) => transaction.commit().await.map_err(map_error).map(|()| value),
            Err(error) => transaction.rollback().await.map_err(map_error).and(Err(error)),
        };
        match outcome {
            Err(Error::Contended) if self.0 < RETRIES => {
                self.0 += 1;
                None
            }
            outcome => Some(outcome),
        }
    }
}

/// Makes the file of a new database for its owner alone: it holds hashes of passwords. SQLite gives its
/// companions, the WAL among them, the same mode.
fn make_private(file: &std::path::Path) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop).context("the file cannot be written")
}

/// Opens an SQLite file that others may be opening at the same moment: while one of them turns the WAL
/// on, the rest are told that the file is busy, without waiting.
async fn connect_patiently(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let deadline = Instant::now() + STATEMENT_TIMEOUT;
    loop {
        match sea_orm::Database::connect(options.clone()).await {
            Err(error) if database_code(&error).as_deref() == Some("5") && Instant::now() < deadline => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            opened => return opened,
        }
    }
}

/// Gives a reading connection of SQLite, which has no time limit of its own, the time for one statement.
async fn limit_statement(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let deadline = Instant::now() + STATEMENT_TIMEOUT;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < deadline);
    Ok(true)
}

fn pool(url: String, max_connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        // Statements hold values, and values are the users' own.
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

/// What keeps a connection from being made.
async fn why_not(url: &str) -> Option<anyhow::Error> {
    let options = PgConnectOptions::from_str(url).ok()?;
    match tokio::time::timeout(ACQUIRE_TIMEOUT, options.connect()).await {
        Ok(connected) => connected.err().map(Into::into),
        Err(_) => Some(anyhow::anyhow!("no answer within {ACQUIRE_TIMEOUT:?}")),
    }
}

fn is_protocol_violation(error: &DbErr) -> bool {
    matches!(database_code(error).as_deref(), Some("08P01"))
}

fn database_code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    cause.as_database_error().and_then(|error| error.code()).map(Into::into)
}

/// What a database's error means to the caller; the cause stays for the log.
pub(crate) fn map_error(error: DbErr) -> Error {
    let sqlite = |code: &str| code.parse::<u32>().map(|extended| extended & 0xff).ok();
    match database_code(&error).as_deref() {
        // serialization_failure, deadlock_detected
        Some("40001" | "40P01") => Error::Contended,
        // query_canceled, SQLITE_INTERRUPT: the statement's time limit
        Some("57014" | "9") => Error::Timeout,
        // shutting down or starting, no more connections, read only after a fail-over
        Some("57P01" | "57P02" | "57P03" | "53300" | "25006") => Error::unavailable(error),
        Some(code) if code.len() == 5 && code.starts_with("08") => Error::unavailable(error),
        // SQLITE_BUSY and LOCKED (another process writes), READONLY, IOERR, FULL, CANTOPEN
        Some(code) if code.len() < 5 && matches!(sqlite(code), Some(5 | 6 | 8 | 10 | 13 | 14)) => {
            Error::unavailable(error)
        }
        // Whatever keeps a connection from being made: closed to connections, gone, another password.
        _ if is_lost_connection(&error) => Error::unavailable(error),
        _ => Error::internal(error),
    }
}

fn is_lost_connection(error: &DbErr) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    match error {
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
            matches!(**cause, Io(_) | Tls(_) | PoolTimedOut | PoolClosed | WorkerCrashed | Protocol(_))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Statement;

    use super::*;

    #[tokio::test]
    async fn a_reading_statement_that_takes_too_long_is_stopped_and_its_connection_goes_on() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let database = Database::connect(&url, 1).await.expect("the file can be made");
        let for_ever =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let error = database.read().query_one_raw(Statement::from_string(DbBackend::Sqlite, for_ever)).await;
        let error = error.map_err(map_error).expect_err("it never ends by itself");
        assert!(matches!(error, Error::Timeout), "{error:?}");
        database.ping().await.expect("the only connection is free again");
    }
}
