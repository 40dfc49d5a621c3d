//! The limit of open files, sockets included, which bounds how many clients can be connected.

/// Files that the server needs besides database connections: listeners, the log, the event loop, connections
/// for metrics, and files that are open only briefly.
const OWN_FILES: u64 = 64;
/// An SQLite connection opens the database, its WAL and the index of the WAL.
const FILES_PER_DATABASE_CONNECTION: u64 = 3;

/// Raises the soft limit of open files to the hard limit. Returns how many client connections fit into it
/// beside the server's own files: at most `wanted`, at least 1.
pub fn connections_that_fit(wanted: usize, database_connections: u32) -> usize {
    let own = OWN_FILES + FILES_PER_DATABASE_CONNECTION * u64::from(database_connections);
    let Some(limit) = raise_limit() else { return wanted };
    let fit = usize::try_from(limit.saturating_sub(own)).unwrap_or(usize::MAX).max(1);
    if fit < wanted {
        tracing::warn!(
            "LIMIT_CONNECTIONS is lowered from {wanted} to {fit}: the process may have {limit} files open, \
             and {own} are kept for the server itself"
        );
    }
    wanted.min(fit)
}

/// The limit after raising it; None when the system has no such limit.
#[cfg(unix)]
fn raise_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        // The hard limit of macOS may be infinite, but it refuses a soft limit above the maximum per process.
        Err(_) => current,
    }
}

#[cfg(not(unix))]
fn raise_limit() -> Option<u64> {
    None
}
