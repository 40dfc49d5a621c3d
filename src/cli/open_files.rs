//! How many files the process may have open, sockets included, and so how many clients it can serve.

/// Files of the server itself, besides the connections to its database: listeners, the log, the event loop,
/// scrapers of metrics, and what is opened for a moment only.
const OWN_FILES: u64 = 64;
/// A connection to SQLite has the database, its WAL and the WAL's index open.
const FILES_PER_DATABASE_CONNECTION: u64 = 3;

/// Raises the limit of open files as far as the system allows, and tells how many connections of clients fit
/// into it beside the server's own files: those that are wanted, or fewer, but at least 1.
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

/// The limit after it was raised; None when there is none.
#[cfg(unix)]
fn raise_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        // macOS refuses more than it has for a process, although its hard limit may be infinite.
        Err(_) => current,
    }
}

#[cfg(not(unix))]
fn raise_limit() -> Option<u64> {
    None
}
