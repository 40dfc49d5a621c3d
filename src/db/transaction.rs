//! Transactions, and the macro that retries them after a write conflict.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, DbBackend, DbErr, Statement};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::connection::{StatementResult, is_lost};
use super::connection_trait::impl_connection_trait;
use super::error::map_error;
use super::feeds::Feeds;
use super::pool::{LivenessCheck, Pool};
use super::timeouts::LOCK_TIMEOUT;
use super::user_share::{SharedLease, UserShare};
use crate::domain::{Error, Result};

/// The maximum number of retries after a write conflict.
pub const MAX_RETRIES: u32 = 3;
/// The maximum duration of a transaction. Afterwards its statements fail and its connection is closed.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// An open transaction. When it is dropped without a commit or rollback, its connection is closed and the
/// database rolls it back.
pub struct Transaction {
    lease: Mutex<SharedLease>,
    backend: DbBackend,
    deadline: Instant,
    /// Whether a statement has failed. PostgreSQL reports success for the COMMIT of such a transaction
    /// although it rolls it back.
    has_failed: AtomicBool,
    /// The feeds and the owner that are notified of the commit.
    notified: Option<(Feeds, Uuid)>,
}

impl Transaction {
    /// Begins a transaction on a connection of the pool, within the share of a user if there is one.
    pub(super) async fn begin(pool: &Pool, share: Option<&UserShare>) -> Result<Self, DbErr> {
        pool.check_file()?;
        // No ping is needed, because BEGIN itself detects a connection that does not reply.
        let lease = match Self::begin_on(pool, share, LivenessCheck::AfterIdle).await {
            Err(error) if is_lost(&error) => Self::begin_on(pool, share, LivenessCheck::Always).await,
            begun => begun,
        }?;
        Ok(Self {
            lease: Mutex::new(lease),
            backend: pool.backend(),
            deadline: Instant::now() + TRANSACTION_TIMEOUT,
            has_failed: AtomicBool::new(false),
            notified: None,
        })
    }

    /// The same transaction, whose commit notifies the listeners of `owner`.
    pub(super) fn notifying(self, feeds: &Feeds, owner: Uuid) -> Self {
        Self { notified: Some((feeds.clone(), owner)), ..self }
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

    /// Commits. After an error the transaction was applied completely or not at all: not at all after a
    /// serialization failure or when a statement had failed before; otherwise it is unknown.
    async fn commit(self) -> Result<(), DbErr> {
        let lease = &mut self.lease.into_inner().lease;
        if self.has_failed.into_inner() {
            let _ = lease.roll_back().await;
            return Err(DbErr::Custom("a statement of the transaction had failed".to_owned()));
        }
        let committed = lease.commit().await;
        // After an error the transaction may have been committed.
        if let Some((feeds, owner)) = &self.notified {
            feeds.notify(*owner);
        }
        committed
    }

    /// Rolls back. If that fails, the connection is closed, which has the same effect.
    async fn roll_back(self) {
        if let Err(error) = self.lease.into_inner().lease.roll_back().await {
            tracing::debug!(%error, "a transaction could not be rolled back; its connection is closed");
        }
    }

    fn backend(&self) -> DbBackend {
        self.backend
    }

    async fn run(&self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let lease = &mut self.lease.lock().await.lease;
        // If this future is dropped before the statement finishes, the flag stays set and the transaction
        // cannot be committed.
        self.has_failed.store(true, Ordering::Relaxed);
        if Instant::now() > self.deadline {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        }
        let outcome = lease.run(statement).await?;
        self.has_failed.store(false, Ordering::Relaxed);
        Ok(outcome)
    }
}

impl_connection_trait!(Transaction);

/// Runs `$body` in a transaction, and runs it again after a write conflict, at most [`MAX_RETRIES`] times. It
/// is a macro because the future of an async closure that borrows is not `Send`. The futures are boxed to
/// keep the futures of all callers small.
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

/// Counts the retries of one transaction.
#[derive(Default)]
pub(crate) struct Attempts(u32);

impl Attempts {
    /// Commits, or rolls back if `done` is an error. Returns None after a write conflict when the transaction
    /// is to be run again.
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
