//! Opens SQLite's file and its connections, and limits the execution time of statements.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, ConnectOptions};
use sea_orm::{DbErr, RuntimeErr};

use super::error::is_busy;
use super::timeouts::STATEMENT_TIMEOUT;

/// The interval between two attempts to open a file that is busy.
const BUSY_RETRY_INTERVAL: Duration = Duration::from_millis(20);
/// The number of instructions of SQLite's virtual machine between two checks of the deadline.
const PROGRESS_OPS: i32 = 10_000;
/// After a checkpoint SQLite truncates the write-ahead log to this size, in bytes.
const JOURNAL_SIZE_LIMIT: &str = "67108864";
const STATEMENT_CACHE_CAPACITY: usize = 200;

/// The database file, with its identity at the time when it was first opened.
#[derive(Debug)]
pub struct SqliteFile {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode number, which distinguish a file from another file at the same path.
#[cfg(unix)]
type Identity = (u64, u64);
/// The standard library has no file identity on this platform, so only the existence of the file is checked.
#[cfg(not(unix))]
type Identity = ();

impl SqliteFile {
    /// Creates a missing database file with access for its owner only, because it contains password hashes.
    /// SQLite creates its additional files, such as the write-ahead log, with the same mode.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).context("the file cannot be written")?;
        // An absolute path stays valid when the working directory changes.
        let path = path.canonicalize().context("the path of the file cannot be resolved")?;
        let identity = identity(&path).context("the file does not exist")?;
        Ok(Self { path, identity })
    }

    /// Checks that the file is still at its path. If it was moved, deleted or replaced, writes would be lost
    /// after a restart, because the next start opens the file at the path.
    pub fn check(&self) -> Result<(), DbErr> {
        if identity(&self.path) == Some(self.identity) {
            return Ok(());
        }
        let error = "the database file was moved or deleted while the server was running";
        Err(DbErr::Conn(RuntimeErr::Internal(error.to_owned())))
    }

    /// Opens a connection. It retries while the file is busy: SQLite does not wait by itself while another
    /// process enables the write-ahead log.
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

    /// The options of every connection to the file.
    pub fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            // `open` has created the file. If it is missing now, it was deleted.
            .create_if_missing(false)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit is on disk before it is acknowledged.
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

/// The deadline of the running statement of a connection. SQLite has no statement timeout; instead it calls a
/// progress handler regularly, which checks this deadline.
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
    /// Sets the deadline for the next statement.
    pub fn restart(&self, limit: Duration) {
        let at = self.start.elapsed() + limit;
        self.at.store(u64::try_from(at.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn has_passed(&self) -> bool {
        self.start.elapsed().as_millis() >= u128::from(self.at.load(Ordering::Relaxed))
    }
}
