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
        Code::Postgres(state) => {
            let is_internal_error = state.starts_with("XX");
            // The driver would continue to use a prepared statement that the server has dropped or rejects.
            let is_stale = matches!(state, "26000" | "0A000");
            !is_outage(state) && !is_internal_error && !is_stale && state != READ_ONLY
        }
        Code::Sqlite(code) => {
            matches!(code, ERROR | BUSY | LOCKED | TOOBIG | CONSTRAINT | MISMATCH | RANGE)
        }
    });
    usable.unwrap_or(false) && !ends_connection(error)
}

/// Whether an SQLSTATE means that the server cannot work: connection exception (class 08), insufficient
/// resources (53), operator intervention or a time limit (57), or system error (58).
fn is_outage(sqlstate: &str) -> bool {
    ["08", "53", "57", "58"].iter().any(|class| sqlstate.starts_with(class))
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

/// Whether a statement had no effect because it conflicted with concurrent transactions.
pub fn is_write_conflict(error: &DbErr) -> bool {
    matches!(classify(error), Some(ErrorClass::WriteConflict))
}

/// Whether a statement had no effect because a lock was not free in time.
pub fn is_lock_timeout(error: &DbErr) -> bool {
    matches!(classify(error), Some(ErrorClass::LockTimeout))
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

/// The errors of a database that callers distinguish.
enum ErrorClass {
    WriteConflict,
    LockTimeout,
    StatementTimeout,
    Unavailable,
}

/// The class of an error that the database itself reported; None for other errors.
fn classify(error: &DbErr) -> Option<ErrorClass> {
    use sqlite_code::{BUSY, CANTOPEN, FULL, INTERRUPT, IOERR, LOCKED, READONLY};
    let class_of = |code: Code<'_>| match code {
        // serialization_failure, deadlock_detected
        Code::Postgres("40001" | "40P01") => Some(ErrorClass::WriteConflict),
        Code::Postgres(LOCK_TIMEOUT) => Some(ErrorClass::LockTimeout),
        // query_canceled: the statement exceeded its time limit.
        Code::Postgres("57014") | Code::Sqlite(INTERRUPT) => Some(ErrorClass::StatementTimeout),
        Code::Postgres(state) if state == READ_ONLY || is_outage(state) => Some(ErrorClass::Unavailable),
        Code::Sqlite(BUSY | LOCKED | READONLY | IOERR | FULL | CANTOPEN) => Some(ErrorClass::Unavailable),
        Code::Postgres(_) | Code::Sqlite(_) => None,
    };
    sqlx_error(error).and_then(|error| with_code(error, class_of)).flatten()
}

/// Converts a database error to the domain error for the caller. The cause is kept for the log.
pub(crate) fn map_error(error: DbErr) -> Error {
    match classify(&error) {
        Some(ErrorClass::WriteConflict) => Error::WriteConflict,
        Some(ErrorClass::LockTimeout) => Error::Locked,
        Some(ErrorClass::StatementTimeout) => Error::Timeout,
        Some(ErrorClass::Unavailable) => Error::unavailable(error),
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
