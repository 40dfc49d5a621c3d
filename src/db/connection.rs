//! One connection to a database of either kind: how a statement runs on it, and whether it may be used
//! again afterwards. It knows nothing of the pool.

use std::time::{Duration, Instant};

use futures_util::{Stream, TryStreamExt};
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, Either, Executor};
use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;

use super::error::{ends_connection, leaves_connection_usable};
use super::pool::ACQUIRE_TIMEOUT;
use super::sqlite::StatementDeadline;

/// How long a statement may take on the side of the database.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement may take on this side. The database gives it up earlier, unless it never received
/// it or its answer is lost.
pub const STATEMENT_REPLY_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));
/// How long a connection may take to answer what needs neither a row nor a lock. It leaves time to make
/// another connection within the second in which the first success has to come after an outage.
pub const PING_TIMEOUT: Duration = Duration::from_millis(700);

/// What a statement gave.
pub struct StatementResult {
    pub rows: Vec<QueryResult>,
    pub exec_result: ExecResult,
}

/// The connection of the driver.
pub enum DriverConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection, StatementDeadline),
}

/// An open connection with what is known of its state.
pub struct Connection {
    driver: DriverConnection,
    /// Whether the limits of time of this session are ours: behind a pooler they are not.
    pub has_session_limits: bool,
    /// The generation of the pool that it was made in.
    pub generation: u64,
    pub created_at: Instant,
    pub last_used: Instant,
    /// True from the start of a statement until its answer has been read to the end. It stays true when the
    /// statement breaks off or fails in a way that leaves the state of the connection unknown.
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

    /// Whether the connection may be used again: its last statement has finished and no transaction is open.
    pub fn is_clean(&self) -> bool {
        !self.is_busy && !self.in_transaction
    }

    /// Runs one statement within [`ANSWER_TIMEOUT`].
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

    /// Runs SQL without values, which may be several statements, within a limit of time.
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
            // The answer may still come, and must not be taken for that of a later statement.
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
        }
    }

    /// How long an answer may take that needs neither a row nor a lock. A pooler lets the first message of a
    /// transaction wait until one of its own connections is free.
    pub fn ping_timeout(&self) -> Duration {
        if self.has_session_limits { PING_TIMEOUT } else { ACQUIRE_TIMEOUT }
    }

    /// Begins a transaction that may write from its first statement on: SQLite refuses to turn a reading
    /// transaction into a writing one when another connection has written meanwhile. The limits of time are
    /// set inside the transaction, so that they hold behind a pooler too, and in the same message.
    ///
    /// PostgreSQL's BEGIN waits for nothing, so it also tells soon whether the connection
    /// still answers. SQLite's waits for the transaction of another process.
    pub async fn begin(&mut self, lock_timeout: Duration) -> Result<(), DbErr> {
        let is_postgres = matches!(self.driver, DriverConnection::Postgres(_));
        self.in_transaction = true;
        let begun = if is_postgres {
            let sql = format!(
                "BEGIN; SET LOCAL lock_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
                lock_timeout.as_millis(),
                super::postgres::IDLE_IN_TRANSACTION_TIMEOUT.as_millis(),
            );
            self.run_unprepared(&sql, self.ping_timeout()).await
        } else {
            self.run_unprepared("BEGIN IMMEDIATE", STATEMENT_REPLY_TIMEOUT).await
        };
        if begun.is_err() && !is_postgres && !self.is_busy {
            // The file is locked by another process: SQLite has not begun anything.
            self.in_transaction = false;
        }
        begun.map(drop)
    }

    /// Commits. After an error the connection is not clean, so it is closed: SQLite may have ended the
    /// transaction or not, and what PostgreSQL did is unknown.
    pub async fn commit(&mut self) -> Result<(), DbErr> {
        self.end_transaction("COMMIT").await
    }

    /// Takes the transaction back. After an error the connection is not clean.
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

    /// Fails when the connection does not answer in time.
    pub async fn ping(&mut self) -> Result<(), DbErr> {
        self.is_busy = true;
        let limit = self.ping_timeout();
        let result = match &mut self.driver {
            DriverConnection::Postgres(connection) => tokio::time::timeout(limit, connection.ping()).await,
            // The file is on this machine: there is nothing between that could have been lost.
            DriverConnection::Sqlite(..) => Ok(Ok(())),
        };
        self.finish(result)
    }

    /// Closes the connection and waits until that is done.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        match self.driver {
            DriverConnection::Postgres(connection) => connection.close().await,
            DriverConnection::Sqlite(connection, _) => connection.close().await,
        }
    }
}

/// Whether the connection turned out to be lost, which says nothing about the database.
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
