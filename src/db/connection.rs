//! One connection to a SQLite or PostgreSQL database: how it runs a statement, and whether it may be reused
//! afterwards. This module does not depend on the pool's state.

use std::time::{Duration, Instant};

use futures_util::{Stream, TryStreamExt};
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, Either, Executor};
use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;

use super::error::{ends_connection, leaves_connection_usable};
use super::sqlite::StatementDeadline;
use super::timeouts::{
    ACQUIRE_TIMEOUT, IDLE_IN_TRANSACTION_TIMEOUT, PING_TIMEOUT, STATEMENT_REPLY_TIMEOUT, STATEMENT_TIMEOUT,
};

/// The result of a statement.
pub struct StatementResult {
    pub rows: Vec<QueryResult>,
    pub exec_result: ExecResult,
}

/// The connection object of the driver.
pub enum DriverConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection, StatementDeadline),
}

/// An open connection and its state.
pub struct Connection {
    driver: DriverConnection,
    /// Whether this session has the time limits of taskhold. Behind a pooler it has not.
    pub has_session_limits: bool,
    /// The pool's generation at the time when the connection was opened.
    pub generation: u64,
    pub created_at: Instant,
    pub last_used: Instant,
    /// True from the start of a statement until its result has been read completely. It stays true when the
    /// statement is cancelled, or fails in a way that leaves the state of the connection unknown.
    is_busy: bool,
    in_transaction: bool,
}

impl Connection {
    pub fn new(driver: DriverConnection, has_session_limits: bool, generation: u64) -> Self {
        let now = Instant::now();
        Self {
            driver,
            has_session_limits,
            generation,
            created_at: now,
            last_used: now,
            is_busy: false,
            in_transaction: false,
        }
    }

    /// Whether the connection may be reused: its last statement has finished, and no transaction is open.
    pub fn is_clean(&self) -> bool {
        !self.is_busy && !self.in_transaction
    }

    /// Runs one statement within [`STATEMENT_REPLY_TIMEOUT`].
    pub async fn run(&mut self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let values = SqlxValues(statement.values.clone().unwrap_or(Values(Vec::new())));
        let sql = AssertSqlSafe(statement.sql.as_str());
        self.is_busy = true;
        let result = async {
            match &mut self.driver {
                DriverConnection::Postgres(connection) => {
                    collect(connection.fetch_many(sqlx::query_with(sql, values))).await
                }
                DriverConnection::Sqlite(connection, deadline) => {
                    deadline.restart(STATEMENT_TIMEOUT);
                    collect(connection.fetch_many(sqlx::query_with(sql, values))).await
                }
            }
        };
        let result = tokio::time::timeout(STATEMENT_REPLY_TIMEOUT, result).await;
        self.finish(result)
    }

    /// Runs SQL without parameters, which may contain several statements, within `limit`.
    pub async fn run_unprepared(&mut self, sql: &str, limit: Duration) -> Result<StatementResult, DbErr> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        self.is_busy = true;
        let result = async {
            match &mut self.driver {
                DriverConnection::Postgres(connection) => collect(connection.fetch_many(sql)).await,
                DriverConnection::Sqlite(connection, deadline) => {
                    deadline.restart(STATEMENT_TIMEOUT);
                    collect(connection.fetch_many(sql)).await
                }
            }
        };
        let result = tokio::time::timeout(limit, result).await;
        self.finish(result)
    }

    fn finish<T>(
        &mut self,
        result: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, DbErr> {
        match result {
            Ok(Ok(value)) => {
                self.is_busy = false;
                Ok(value)
            }
            Ok(Err(error)) => {
                self.is_busy = !leaves_connection_usable(&error);
                Err(DbErr::Query(RuntimeErr::SqlxError(error.into())))
            }
            // The connection stays busy: the late result must not be read as the result of a later statement.
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
        }
    }

    /// The maximum time for a reply that needs neither rows nor locks. A pooler delays the first message of a
    /// transaction until one of its own connections is free.
    pub fn ping_timeout(&self) -> Duration {
        if self.has_session_limits { PING_TIMEOUT } else { ACQUIRE_TIMEOUT }
    }

    /// Begins a transaction that may write from its first statement on. SQLite cannot turn a reading
    /// transaction into a writing one when another connection has written in between. On PostgreSQL the time
    /// limits are set inside the transaction, in the same message, so that they also apply behind a pooler.
    ///
    /// BEGIN of PostgreSQL never waits for a lock, so its timeout also detects a dead connection. BEGIN
    /// IMMEDIATE of SQLite waits for a transaction of another process.
    pub async fn begin(&mut self, lock_timeout: Duration) -> Result<(), DbErr> {
        let is_postgres = matches!(self.driver, DriverConnection::Postgres(_));
        self.in_transaction = true;
        let begun = if is_postgres {
            let sql = format!(
                "BEGIN; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
                lock_timeout.as_millis(),
                IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
            );
            self.run_unprepared(&sql, self.ping_timeout()).await
        } else {
            self.run_unprepared("BEGIN IMMEDIATE", STATEMENT_REPLY_TIMEOUT).await
        };
        if begun.is_err() && !is_postgres && !self.is_busy {
            // Another process has locked the file, so SQLite has not begun a transaction.
            self.in_transaction = false;
        }
        begun.map(drop)
    }

    /// Commits. After an error the connection is not clean and is therefore closed: SQLite may or may not
    /// have ended the transaction, and the outcome on PostgreSQL is unknown.
    pub async fn commit(&mut self) -> Result<(), DbErr> {
        self.end_transaction("COMMIT").await
    }

    /// Rolls the transaction back. After an error the connection is not clean.
    pub async fn roll_back(&mut self) -> Result<(), DbErr> {
        self.end_transaction("ROLLBACK").await
    }

    async fn end_transaction(&mut self, sql: &str) -> Result<(), DbErr> {
        if self.is_busy {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
        }
        self.run_unprepared(sql, STATEMENT_REPLY_TIMEOUT).await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Checks that the connection replies within [`Self::ping_timeout`].
    pub async fn ping(&mut self) -> Result<(), DbErr> {
        self.is_busy = true;
        let limit = self.ping_timeout();
        let result = match &mut self.driver {
            DriverConnection::Postgres(connection) => tokio::time::timeout(limit, connection.ping()).await,
            // The file is local, so there is no network connection that could have been lost.
            DriverConnection::Sqlite(..) => Ok(Ok(())),
        };
        self.finish(result)
    }

    /// Closes the connection and waits until it is closed.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        match self.driver {
            DriverConnection::Postgres(connection) => connection.close().await,
            DriverConnection::Sqlite(connection, _) => connection.close().await,
        }
    }
}

/// Whether an error means that the connection is lost. It does not mean that the database is unavailable.
pub fn is_lost(error: &DbErr) -> bool {
    match error {
        DbErr::Query(RuntimeErr::SqlxError(cause)) => ends_connection(cause),
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => true,
        _ => false,
    }
}

async fn collect<D>(
    mut results: impl Stream<Item = Result<Either<D, impl Into<QueryResult>>, sqlx::Error>> + Unpin,
) -> Result<StatementResult, sqlx::Error>
where
    D: Default + Extend<D> + Into<ExecResult>,
{
    let (mut rows, mut exec_result) = (Vec::new(), D::default());
    while let Some(result) = results.try_next().await? {
        match result {
            Either::Left(part) => exec_result.extend([part]),
            Either::Right(row) => rows.push(row.into()),
        }
    }
    Ok(StatementResult { rows, exec_result: exec_result.into() })
}
