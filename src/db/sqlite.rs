//! How SQLite's file is opened and looked after.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, ConnectOptions};
use sea_orm::{DbErr, RuntimeErr};

use super::connection::STATEMENT_TIMEOUT;
use super::error::is_busy;

/// Between two attempts to open a file that is busy.
const BUSY_RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// How many instructions of SQLite's virtual machine pass between two looks at the time.
const PROGRESS_OPS: i32 = 10_000;
/// The write-ahead log is cut to this size after a checkpoint, in bytes.
const JOURNAL_SIZE_LIMIT: &str = "67108864";
const STATEMENT_CACHE_CAPACITY: usize = 200;

/// The file of a database, as it was when it was opened first.
#[derive(Debug)]
pub struct SqliteFile {
    path: PathBuf,
    identity: Identity,
}

/// What tells a file from another one that is put in its place: device and inode.
#[cfg(unix)]
type Identity = (u64, u64);
/// Where the standard library has no such number, that there is a file.
#[cfg(not(unix))]
type Identity = ();

impl SqliteFile {
    /// Makes the file of a new database for its owner alone, since it holds hashes of passwords. SQLite
    /// gives its companions, the write-ahead log among them, the same mode.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).context("the file cannot be written")?;
        // An absolute path stays right whatever becomes of the working folder.
        let path = path.canonicalize().context("the path of the file cannot be resolved")?;
        let identity = identity(&path).context("the file is not there")?;
        Ok(Self { path, identity })
    }

    /// Fails when the file was moved or deleted, or when another file is in its place. What is written then
    /// would go into a file that the next start does not open.
    pub fn check(&self) -> Result<(), DbErr> {
        if identity(&self.path) == Some(self.identity) {
            return Ok(());
        }
        let error = "the database file was moved or deleted while the server was running";
        Err(DbErr::Conn(RuntimeErr::Internal(error.to_owned())))
    }

    /// Opens a connection. While another process turns the write-ahead log on, SQLite reports that the file
    /// is busy without waiting.
    pub async fn connect(&self) -> Result<(SqliteConnection, StatementDeadline), DbErr> {
        self.check()?;
        let give_up = Instant::now() + STATEMENT_TIMEOUT;
        let connection = loop {
            match self.options().connect().await {
                Err(error) if is_busy(&error) && Instant::now() < give_up => {
                    tokio::time::sleep(BUSY_RETRY_INTERVAL).await;
                }
                opened => break opened,
            }
        };
        let deadline = StatementDeadline::default();
        let prepared = async {
            let mut connection = connection?;
            let watched = deadline.clone();
            let mut handle = connection.lock_handle().await?;
            handle.set_progress_handler(PROGRESS_OPS, move || !watched.has_passed());
            drop(handle);
            Ok(connection)
        };
        let connection =
            prepared.await.map_err(|error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        Ok((connection, deadline))
    }

    /// How every connection to the file is opened.
    pub fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            // The file was made by `open`. One that is missing now was deleted.
            .create_if_missing(false)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit is on the disk before it is acknowledged.
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT)
            .busy_timeout(STATEMENT_TIMEOUT)
            .statement_cache_capacity(STATEMENT_CACHE_CAPACITY)
            .disable_statement_logging()
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(drop)
}

/// The moment by which the running statement of a connection has to be finished. SQLite has no time limit of
/// its own; it asks this from time to time.
#[derive(Clone, Debug)]
pub struct StatementDeadline {
    start: Instant,
    /// Milliseconds since `start`.
    at: Arc<AtomicU64>,
}

impl Default for StatementDeadline {
    fn default() -> Self {
        Self { start: Instant::now(), at: Arc::new(AtomicU64::new(u64::MAX)) }
    }
}

impl StatementDeadline {
    /// Gives the next statement its time.
    pub fn restart(&self, limit: Duration) {
        let at = self.start.elapsed() + limit;
        self.at.store(u64::try_from(at.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn has_passed(&self) -> bool {
        self.start.elapsed().as_millis() >= u128::from(self.at.load(Ordering::Relaxed))
    }
}
