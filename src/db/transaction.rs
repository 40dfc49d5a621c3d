//! Transactions: all of what is done in one happens, or nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::entity::prelude::async_trait;
use sea_orm::{ConnAcquireErr, ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::Mutex;

use super::connection::{StatementResult, is_lost};
use super::error::map_error;
use super::pool::{LivenessCheck, Pool};
use super::postgres::LOCK_TIMEOUT;
use super::user_share::{SharedLease, UserShare};
use crate::domain::{Error, Result};

/// How often a transaction is tried again after it collided with others.
pub const MAX_RETRIES: u32 = 3;
/// How long a transaction may take. Its connection is then closed.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// An open transaction. When it is dropped without an end its connection is closed, and the database takes
/// it back.
pub struct Transaction {
    lease: Mutex<SharedLease>,
    backend: DbBackend,
    deadline: Instant,
    /// Whether a statement has failed. PostgreSQL answers the COMMIT of such a transaction with success, and
    /// has taken it back.
    has_failed: AtomicBool,
}

impl Transaction {
    /// Begins a transaction on a connection of the pool, within the share of a user if there is one.
    pub(super) async fn begin(pool: &Pool, share: Option<&UserShare>) -> Result<Self, DbErr> {
        pool.check_file()?;
        // BEGIN itself tells whether the connection still answers.
        let lease = match Self::begin_on(pool, share, LivenessCheck::AfterIdle).await {
            Err(error) if is_lost(&error) => Self::begin_on(pool, share, LivenessCheck::Always).await,
            begun => begun,
        }?;
        Ok(Self {
            lease: Mutex::new(lease),
            backend: pool.backend(),
            deadline: Instant::now() + TRANSACTION_TIMEOUT,
            has_failed: AtomicBool::new(false),
        })
    }

    async fn begin_on(
        pool: &Pool,
        share: Option<&UserShare>,
        check: LivenessCheck,
    ) -> Result<SharedLease, DbErr> {
        let mut shared = UserShare::acquire_lease(share, pool, check).await?;
        shared.lease.begin(LOCK_TIMEOUT).await?;
        Ok(shared)
    }

    /// Makes everything permanent. After an error the transaction had its whole effect or none. After a
    /// serialization failure, or if a statement had failed before, it had none. Otherwise it is unknown.
    async fn commit(self) -> Result<(), DbErr> {
        let lease = &mut self.lease.into_inner().lease;
        if self.has_failed.into_inner() {
            let _ = lease.roll_back().await;
            return Err(DbErr::Custom("a statement of the transaction had failed".to_owned()));
        }
        lease.commit().await
    }

    /// Takes everything back. A connection on which that fails is closed, which comes to the same.
    async fn roll_back(self) {
        if let Err(error) = self.lease.into_inner().lease.roll_back().await {
            tracing::debug!(%error, "a transaction could not be rolled back; its connection is closed");
        }
    }

    async fn run(&self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let lease = &mut self.lease.lock().await.lease;
        // A future that is dropped in the middle leaves this set, and the connection is closed.
        self.has_failed.store(true, Ordering::Relaxed);
        if Instant::now() > self.deadline {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        }
        let outcome = lease.run(statement).await?;
        self.has_failed.store(false, Ordering::Relaxed);
        Ok(outcome)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        Ok(self.run(&statement).await?.exec_result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.backend, sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.run(&statement).await?.rows.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        Ok(self.run(&statement).await?.rows)
    }
}

/// Runs a body in a transaction: all of it happens or nothing. When it collides with others it is run
/// again, up to three times. A macro, since a closure that borrows could not be sent between threads. Its
/// parts are boxed: they are large, and every caller of a caller would carry them.
macro_rules! in_transaction {
    ($database:expr, |$transaction:ident| $body:expr) => {{
        let mut attempts = $crate::db::Attempts::default();
        loop {
            let $transaction = match Box::pin($database.begin()).await {
                Ok(transaction) => transaction,
                Err(error) => break Err(error),
            };
            let done = Box::pin(async { $body }).await;
            if let Some(outcome) = Box::pin(attempts.finish($transaction, done)).await {
                break outcome;
            }
        }
    }};
}
pub(crate) use in_transaction;

/// The attempts at one transaction: when it collides with others it is run again, up to three times.
#[derive(Default)]
pub(crate) struct Attempts(u32);

impl Attempts {
    /// Commits what was done, or takes it back after an error. None: it collided, and is to be run again.
    pub(crate) async fn finish<T>(&mut self, transaction: Transaction, done: Result<T>) -> Option<Result<T>> {
        let outcome = match done {
            Ok(value) => transaction.commit().await.map_err(map_error).map(|()| value),
            Err(error) => {
                transaction.roll_back().await;
                Err(error)
            }
        };
        match outcome {
            Err(Error::WriteConflict) if self.0 < MAX_RETRIES => {
                self.0 += 1;
                None
            }
            outcome => Some(outcome),
        }
    }
}
