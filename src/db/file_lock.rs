//! The lock that prevents a second server from using the same SQLite database. Two servers would not corrupt
//! the file, but each would serve outdated data from its caches and wait for the writes of the other.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// The lock of an SQLite database, owned by the one server that uses it. The operating system releases it
/// when the process ends. The lock file is never deleted: deleting it could remove the lock of another
/// server.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Acquires the lock of a database file and creates the file if it is missing. Returns None when another
    /// server has the lock.
    ///
    /// Errors: an I/O error when a file cannot be created, or the file system does not support locks.
    pub fn acquire(database: &Path) -> io::Result<Option<Self>> {
        // The path can only be made canonical, with all links resolved, if the file exists.
        open_private(database)?;
        let mut path = OsString::from(database.canonicalize()?);
        path.push(".lock");
        let file = open_private(Path::new(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Opens a file for writing, or creates it with access for its owner only, because the database contains
/// password hashes.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
