//! Runs single statements outside transactions, on connections of the pool.

use sea_orm::{DbBackend, DbErr, Statement};

use super::connection::{StatementResult, is_lost};
use super::connection_trait::impl_connection_trait;
use super::error::{is_lock_timeout, is_write_conflict};
use super::pool::{LivenessCheck, Pool};
use super::timeouts::{LOCK_TIMEOUT, SHARED_LOCK_TIMEOUT};
use super::transaction::MAX_RETRIES;
use super::user_share::UserShare;

/// The kind of the statements, which determines whether they may be sent twice and how long they wait for a
/// lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// Change nothing, so they may be sent twice.
    Read,
    /// Change something, and are sent once.
    Write,
    /// Change something, and are sent once. When the connection is lost, the caller checks whether the
    /// statement took effect.
    VerifiableWrite,
    /// Change something, and have the same effect when they are sent twice.
    RepeatableWrite,
    /// Repeatable writes for several users, which wait only a short time for a lock.
    SharedWrite,
}

/// Runs statements of one kind, each on a connection of the pool. The driver's own pool pings a connection
/// before each use, which costs as much as a small statement. Here only statements of [`StatementKind::Write`]
/// ping first. The others detect a lost connection themselves; repeatable ones are then sent on another.
#[derive(Clone, Debug)]
pub struct Statements {
    pool: Pool,
    kind: StatementKind,
    share: Option<UserShare>,
}

impl Statements {
    pub fn new(pool: Pool, kind: StatementKind) -> Self {
        Self { pool, kind, share: None }
    }

    /// The same statements, limited to the connections that one user may have.
    pub fn within(&self, share: UserShare) -> Self {
        Self { share: Some(share), ..self.clone() }
    }

    fn backend(&self) -> DbBackend {
        self.pool.backend()
    }

    async fn run(&self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let mut retries = 0;
        loop {
            match self.run_once(statement).await {
                // The statement had no effect, so it may be sent again, even if it is a write.
                Err(error) if retries < MAX_RETRIES && is_write_conflict(&error) => retries += 1,
                done => return done,
            }
        }
    }

    async fn run_once(&self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let check = match self.kind {
            StatementKind::Write => LivenessCheck::Always,
            _ => LivenessCheck::AfterIdle,
        };
        match self.run_on(check, statement).await {
            Err(error) if is_lost(&error) && self.is_repeatable() => {
                self.run_on(LivenessCheck::Always, statement).await
            }
            done => done,
        }
    }

    fn is_repeatable(&self) -> bool {
        !matches!(self.kind, StatementKind::Write | StatementKind::VerifiableWrite)
    }

    async fn run_on(&self, check: LivenessCheck, statement: &Statement) -> Result<StatementResult, DbErr> {
        let mut shared = UserShare::acquire_lease(self.share.as_ref(), &self.pool, check).await?;
        let lease = &mut shared.lease;
        let is_write = self.kind != StatementKind::Read;
        if is_write {
            self.pool.check_file()?;
        }
        let lock_timeout =
            if self.kind == StatementKind::SharedWrite { SHARED_LOCK_TIMEOUT } else { LOCK_TIMEOUT };
        if is_write && !lease.has_session_limits {
            return lease.run_in_transaction(statement, lock_timeout).await;
        }
        match lease.run(statement).await {
            // Another transaction holds the lock for longer than the session's lock timeout. The statement
            // had no effect and is repeated in a transaction with a longer timeout.
            Err(error) if self.kind != StatementKind::SharedWrite && is_lock_timeout(&error) => {
                lease.run_in_transaction(statement, lock_timeout).await
            }
            Ok(outcome) if is_write => self.pool.record_write().map(|()| outcome),
            done => done,
        }
    }
}

impl_connection_trait!(Statements);
