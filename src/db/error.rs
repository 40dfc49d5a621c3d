//! Classifies database errors: whether the connection may be reused, and which domain error the caller gets.
//! No other module interprets SQLSTATE or the result codes of SQLite.

use sea_orm::sqlx::postgres::{PgDatabaseError, PgSeverity};
use sea_orm::{DbErr, RuntimeErr, sqlx};

use crate::domain::Error;

/// The error code of a database.
enum Code<'a> {
    /// SQLSTATE: five characters.
    Postgres(&'a str),
    /// A primary result code.
    Sqlite(u32),
}

/// Primary result codes of SQLite, with the names of its documentation.
mod sqlite_code {
    pub const ERROR: u32 = 1;
    pub const BUSY: u32 = 5;
    pub const LOCKED: u32 = 6;
    pub const READONLY: u32 = 8;
    pub const INTERRUPT: u32 = 9;
    pub const IOERR: u32 = 10;
    pub const FULL: u32 = 13;
    pub const CANTOPEN: u32 = 14;
    pub const TOOBIG: u32 = 18;
    pub const CONSTRAINT: u32 = 19;
    pub const MISMATCH: u32 = 20;
    pub const RANGE: u32 = 25;
}

/// Calls `function` with the code of an error that the database itself reported.
fn with_code<T>(error: &sqlx::Error, function: impl FnOnce(Code<'_>) -> T) -> Option<T> {
    let error = error.as_database_error()?;
    let code = error.code()?;
    let is_postgres = error.try_downcast_ref::<PgDatabaseError>().is_some();
    if is_postgres {
        Some(function(Code::Postgres(&code)))
    } else {
        // The low byte of an extended result code is the primary result code.
        code.parse::<u32>().ok().map(|extended| function(Code::Sqlite(extended & 0xff)))
    }
}

/// Whether a connection may be reused after an error. It may only when the error is known to leave no state
/// behind: the database rejected the statement, or the statement timed out waiting for a lock.
pub fn leaves_connection_usable(error: &sqlx::Error) -> bool {
    use sqlite_code::{BUSY, CONSTRAINT, ERROR, LOCKED, MISMATCH, RANGE, TOOBIG};
    let usable = with_code(error, |code| match code {
        // Faults of the connection, lack of resources, intervention of an operator or of a time limit, I/O
        // errors, internal errors, and a server that accepts no writes.
        Code::Postgres(state) => {
            let is_grave = ["08", "53", "57", "58", "XX"].iter().any(|class| state.starts_with(class));
            // The driver would continue to use a prepared statement that the server has dropped or rejects.
            let is_stale = matches!(state, "26000" | "0A000");
            !is_grave && !is_stale && state != READ_ONLY
        }
        Code::Sqlite(code) => {
            matches!(code, ERROR | BUSY | LOCKED | TOOBIG | CONSTRAINT | MISMATCH | RANGE)
        }
    });
    usable.unwrap_or(false) && !ends_connection(error)
}

/// read_only_sql_transaction: the server is a standby or is set to read-only.
const READ_ONLY: &str = "25006";
/// lock_not_available: a lock was not free within lock_timeout.
const LOCK_TIMEOUT: &str = "55P03";

/// Whether a connection must be closed after an error, because it is lost or its server does not accept
/// writes.
pub fn ends_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        // The server sends a FATAL or PANIC error as its last message before it closes the connection.
        sqlx::Error::Database(cause) => cause.try_downcast_ref::<PgDatabaseError>().is_some_and(|cause| {
            matches!(cause.severity(), PgSeverity::Fatal | PgSeverity::Panic) || cause.code() == READ_ONLY
        }),
        _ => false,
    }
}

/// Whether a statement had no effect because it conflicted with concurrent transactions
/// (serialization_failure or deadlock_detected).
pub fn is_write_conflict(error: &DbErr) -> bool {
    let matches = |code: Code<'_>| matches!(code, Code::Postgres("40001" | "40P01"));
    sqlx_error(error).and_then(|error| with_code(error, matches)).unwrap_or(false)
}

/// Whether a statement had no effect because a lock was not free in time.
pub fn is_lock_timeout(error: &DbErr) -> bool {
    let matches = |code: Code<'_>| matches!(code, Code::Postgres(LOCK_TIMEOUT));
    sqlx_error(error).and_then(|error| with_code(error, matches)).unwrap_or(false)
}

/// Whether the server rejects a parameter of the startup message, as poolers do.
pub fn is_protocol_violation(error: &sqlx::Error) -> bool {
    with_code(error, |code| matches!(code, Code::Postgres("08P01"))).unwrap_or(false)
}

/// Whether another process has locked SQLite's file.
pub fn is_busy(error: &sqlx::Error) -> bool {
    with_code(error, |code| matches!(code, Code::Sqlite(sqlite_code::BUSY))).unwrap_or(false)
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

/// Converts a database error to the domain error for the caller. The cause is kept for the log.
pub(crate) fn map_error(error: DbErr) -> Error {
    use sqlite_code::{BUSY, CANTOPEN, FULL, INTERRUPT, IOERR, LOCKED, READONLY};
    enum Meaning {
        Contended,
        Timeout,
        Locked,
        Unavailable,
    }
    let meaning = |code: Code<'_>| match code {
        // serialization_failure, deadlock_detected
        Code::Postgres("40001" | "40P01") => Some(Meaning::Contended),
        // query_canceled: the statement exceeded its time limit.
        Code::Postgres("57014") | Code::Sqlite(INTERRUPT) => Some(Meaning::Timeout),
        Code::Postgres(LOCK_TIMEOUT) => Some(Meaning::Locked),
        Code::Postgres(READ_ONLY) => Some(Meaning::Unavailable),
        // connection exceptions, lack of resources, intervention of an operator, errors of the system
        Code::Postgres(state) => ["08", "53", "57", "58"]
            .iter()
            .any(|class| state.starts_with(class))
            .then_some(Meaning::Unavailable),
        Code::Sqlite(BUSY | LOCKED | READONLY | IOERR | FULL | CANTOPEN) => Some(Meaning::Unavailable),
        Code::Sqlite(_) => None,
    };
    match sqlx_error(&error).and_then(|error| with_code(error, meaning)).flatten() {
        Some(Meaning::Contended) => Error::WriteConflict,
        Some(Meaning::Timeout) => Error::Timeout,
        Some(Meaning::Locked) => Error::Locked,
        Some(Meaning::Unavailable) => Error::unavailable(error),
        None if is_connection_error(&error) => Error::unavailable(error),
        None => Error::internal(error),
    }
}

/// Whether there was no usable connection: none could be opened or acquired in time, or it was lost.
fn is_connection_error(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => true,
        error => sqlx_error(error).is_some_and(ends_connection),
    }
}
