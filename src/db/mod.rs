//! The database, SQLite or PostgreSQL. This is the only module that opens connections. Every statement and
//! every transaction acquires its connection from a `pool` and has a time limit in this process. A connection
//! is reused only when it is known to be clean. When one is lost, or its server does not accept writes, the
//! other connections are closed too, because they belong to the same server.

mod coalescer;
mod connection;
mod connection_trait;
mod database_url;
#[expect(clippy::disallowed_methods, reason = "the derive macro of the entities calls them")]
pub(crate) mod entity;
mod error;
mod feeds;
mod file_lock;
mod jobs;
pub(crate) mod list_query;
mod migrations;
mod pool;
mod postgres;
mod sqlite;
mod statements;
pub(crate) mod task_query;
mod timeouts;
mod transaction;
mod user_share;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use sea_orm::{DbErr, RuntimeErr};
use tokio::sync::Mutex;
use uuid::Uuid;

pub(crate) use coalescer::{Coalescer, Mode};
pub(crate) use connection::is_lost;
pub use database_url::DatabaseUrl;
pub(crate) use error::map_error;
pub use feeds::FeedListener;
pub use file_lock::FileLock;
pub(crate) use jobs::as_job;
pub(crate) use statements::Statements;
pub use transaction::Transaction;
pub(crate) use transaction::{Attempts, in_transaction};

use self::feeds::Feeds;
use self::pool::{Pool, Target};
use self::postgres::PostgresConnector;
use self::sqlite::SqliteFile;
use self::statements::StatementKind;
use self::timeouts::ACQUIRE_TIMEOUT;
use self::user_share::UserShares;
use crate::domain::Result;

/// When a check for writability began, and its result.
type WritableCheck = (Instant, Result<()>);

/// A database. Clones share the same connections.
#[derive(Clone, Debug)]
pub struct Database {
    target: Arc<Target>,
    readers: Pool,
    /// On PostgreSQL the same pool as `readers`. SQLite has a separate pool with one writer.
    writers: Pool,
    read_shares: UserShares,
    /// On PostgreSQL the same as `read_shares`, because reads and writes use the same connections. On SQLite
    /// reads do not wait for the writer.
    write_shares: UserShares,
    read: Statements,
    write: Statements,
    verifiable_write: Statements,
    repeatable_write: Statements,
    shared_write: Statements,
    feeds: Feeds,
    /// The most recent check whether the database accepts writes.
    last_check: Arc<Mutex<Option<WritableCheck>>>,
}

impl Database {
    /// Opens the database with at most `max_connections` connections and checks that it accepts writes.
    /// SQLite has one additional connection for writes.
    pub async fn connect(url: &DatabaseUrl, max_connections: u32) -> anyhow::Result<Self> {
        let database = match url {
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path, max_connections)?,
            DatabaseUrl::Postgres(url) => {
                let target = Arc::new(Target::Postgres(PostgresConnector::new(url.expose())?.into()));
                let pool = Pool::new(target.clone(), max_connections);
                Self::new(target, pool.clone(), pool, max_connections)
            }
        };
        database.writers.check_writable().await.map_err(connect_error)?;
        Ok(database)
    }

    fn open_sqlite(path: &Path, max_connections: u32) -> anyhow::Result<Self> {
        let target = Arc::new(Target::Sqlite(SqliteFile::open(path)?));
        let readers = Pool::new(target.clone(), max_connections);
        let writer = Pool::new(target.clone(), 1);
        Ok(Self::new(target, readers, writer, max_connections))
    }

    fn new(target: Arc<Target>, readers: Pool, writers: Pool, max_connections: u32) -> Self {
        let statements = |kind| Statements::new(writers.clone(), kind);
        let read_shares = UserShares::new(max_connections);
        let write_shares = match *target {
            Target::Postgres(_) => read_shares.clone(),
            Target::Sqlite(_) => UserShares::new(max_connections),
        };
        Self {
            target,
            read_shares,
            write_shares,
            read: Statements::new(readers.clone(), StatementKind::Read),
            write: statements(StatementKind::Write),
            verifiable_write: statements(StatementKind::VerifiableWrite),
            repeatable_write: statements(StatementKind::RepeatableWrite),
            shared_write: statements(StatementKind::SharedWrite),
            feeds: Feeds::default(),
            last_check: Arc::default(),
            readers,
            writers,
        }
    }

    /// Runs statements that change nothing.
    pub(crate) fn read(&self) -> &Statements {
        &self.read
    }

    /// Runs statements that change nothing, for one user, who may use at most half of the connections.
    pub(crate) fn read_for(&self, user: Uuid) -> Statements {
        self.read.within(self.read_shares.of(user))
    }

    /// Runs single write statements.
    pub(crate) fn write(&self) -> &Statements {
        &self.write
    }

    /// Runs single write statements for one user, who may use at most half of the connections.
    pub(crate) fn write_for(&self, user: Uuid) -> Statements {
        self.write.within(self.write_shares.of(user))
    }

    /// Runs single write statements that have the same effect when they are sent twice, for one user, who may
    /// use at most half of the connections.
    pub(crate) fn repeatable_write_for(&self, user: Uuid) -> Statements {
        self.repeatable_write.within(self.write_shares.of(user))
    }

    /// Runs single write statements for several users that have the same effect when they are sent twice.
    /// They wait only a short time for a lock and then fail with
    /// [`Error::Locked`](crate::domain::Error::Locked).
    pub(crate) fn shared_write(&self) -> &Statements {
        &self.shared_write
    }

    /// The listeners of changes.
    pub(crate) fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        Transaction::begin(&self.writers, None).await.map_err(map_error)
    }

    /// The database for one user, who may use at most half of the connections.
    pub(crate) fn for_user(&self, user: Uuid) -> UserDatabase<'_> {
        UserDatabase { database: self, user }
    }

    /// Checks that the database replies and accepts writes.
    ///
    /// Errors: Unavailable or Timeout when it does not.
    pub async fn ready(&self) -> Result<()> {
        let called_at = Instant::now();
        let mut last_check = self.last_check.lock().await;
        // Callers that wait during a check share the result of the next check.
        if let Some((started_at, result)) = &*last_check
            && *started_at >= called_at
        {
            return result.clone();
        }
        let started_at = Instant::now();
        let result = self.writers.check_writable().await.map_err(map_error);
        *last_check = Some((started_at, result.clone()));
        result
    }

    /// The number of connections in each state.
    pub fn connections(&self) -> [(&'static str, usize); 2] {
        let (mut all, mut idle) = self.readers.status();
        if matches!(*self.target, Target::Sqlite(_)) {
            let (writers, idle_writers) = self.writers.status();
            (all, idle) = (all + writers, idle + idle_writers);
        }
        [("used", all.saturating_sub(idle)), ("idle", idle)]
    }

    /// Closes all connections. The writer is closed last, so that SQLite copies the write-ahead log into the
    /// database file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    /// Calls `observer` with the SQL of each statement from now on, and whether a background job runs it. Tests use
    /// it to count statements.
    #[doc(hidden)]
    pub fn observe(&self, observer: impl Fn(&str, bool) + Send + Sync + 'static) {
        let observer = Arc::new(observer);
        self.readers.observe(observer.clone());
        self.writers.observe(observer);
    }
}

/// The reason why a database cannot be opened, without the text that the libraries add.
fn connect_error(error: DbErr) -> anyhow::Error {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause)) => cause.into(),
        DbErr::Conn(RuntimeErr::Internal(reason)) => anyhow!(reason),
        DbErr::ConnectionAcquire(_) => anyhow!("no answer within {ACQUIRE_TIMEOUT:?}"),
        other => other.into(),
    }
}

/// The database for one user.
#[derive(Clone, Copy)]
pub(crate) struct UserDatabase<'a> {
    database: &'a Database,
    user: Uuid,
}

impl UserDatabase<'_> {
    /// Runs statements that change nothing.
    pub(crate) fn read(&self) -> Statements {
        self.database.read_for(self.user)
    }

    /// Runs single write statements that are sent without a check of the connection. After an error that
    /// [`is_lost`] recognizes, the caller checks whether the statement took effect.
    pub(crate) fn verifiable_write(&self) -> Statements {
        self.database.verifiable_write.within(self.database.write_shares.of(self.user))
    }

    /// Begins a transaction. Its commit notifies the listeners of the user's changes.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        let share = self.database.write_shares.of(self.user);
        let transaction =
            Transaction::begin(&self.database.writers, Some(&share)).await.map_err(map_error)?;
        Ok(transaction.notifying(&self.database.feeds, self.user))
    }

    /// Notifies the listeners of the user's changes of the commit of a single statement.
    pub(crate) fn notify(&self) {
        self.database.feeds.notify(self.user);
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::*;
    use crate::domain::Error;

    /// A database with one reader, and an empty table of unique numbers.
    async fn numbers() -> (Database, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let database = Database::connect(&url, 1).await.expect("the file can be created");
        let table = "CREATE TABLE numbers (number INTEGER PRIMARY KEY)";
        database.write().execute_unprepared(table).await.expect("the table can be created");
        (database, folder)
    }

    async fn insert(on: &impl ConnectionTrait, number: u32) -> Result<()> {
        let sql = format!("INSERT INTO numbers VALUES ({number})");
        on.execute_unprepared(&sql).await.map(drop).map_err(map_error)
    }

    async fn count(database: &Database) -> usize {
        let rows = database.read().query_all_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            "SELECT number FROM numbers",
        ));
        rows.await.expect("the table exists").len()
    }

    #[tokio::test]
    async fn a_reading_statement_that_takes_too_long_is_stopped_and_its_connection_is_free_again() {
        let (database, _folder) = numbers().await;
        let endless =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let error = database.read().execute_unprepared(endless).await.map_err(map_error);
        let error = error.expect_err("it never ends by itself");
        assert!(matches!(error, Error::Timeout), "{error:?}");
        assert_eq!(count(&database).await, 0);
    }

    #[tokio::test]
    async fn a_transaction_that_is_dropped_is_rolled_back_and_the_writer_is_free_again() {
        let (database, _folder) = numbers().await;
        let transaction = database.begin().await.expect("the writer is free");
        insert(&transaction, 1).await.expect("it is the first");
        drop(transaction);
        let done: Result<()> = in_transaction!(database, |transaction| insert(&transaction, 2).await);
        done.expect("the writer is free");
        assert_eq!(count(&database).await, 1);
    }

    #[tokio::test]
    async fn a_transaction_with_a_failed_statement_is_never_committed() {
        let (database, _folder) = numbers().await;
        let done: Result<()> = in_transaction!(database, |transaction| {
            insert(&transaction, 1).await?;
            // The error is dropped on purpose, as a programming error could do.
            let _ = insert(&transaction, 1).await;
            Ok(())
        });
        assert!(matches!(done, Err(Error::Internal(_))), "{done:?}");
        assert_eq!(count(&database).await, 0);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nothing_is_written_into_a_file_that_was_moved_away() {
        let (database, folder) = numbers().await;
        let (file, moved) = (folder.path().join("test.db"), folder.path().join("moved.db"));
        std::fs::rename(&file, &moved).expect("the file can be moved");
        let refused =
            [insert(database.write(), 1).await, database.begin().await.map(drop), database.ready().await];
        assert!(refused.iter().all(|done| matches!(done, Err(Error::Unavailable(_)))), "{refused:?}");
        std::fs::rename(&moved, &file).expect("the file can be moved back");
        insert(database.write(), 1).await.expect("the file is where it was");
        database.ready().await.expect("the file is where it was");
        assert_eq!(count(&database).await, 1);
    }
}
