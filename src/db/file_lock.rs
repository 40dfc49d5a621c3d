//! The lock that keeps a second server away from an SQLite database. Two servers would not damage the file,
//! but each would serve what it remembers, and wait for the other's writes.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Held by the one server that uses an SQLite database. The lock ends with the process, however that ends;
/// the file stays, since removing it could take the lock of another server away.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock of a database file, which is created if it is missing. None: another server has the lock.
    ///
    /// Errors: an I/O error when a file cannot be created, or the file system has no locks.
    pub fn acquire(database: &Path) -> io::Result<Option<Self>> {
        // Only a file that exists has one path, whatever links lead to it.
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

/// Opens a file for writing, or makes one for its owner alone: a database holds hashes of passwords.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
