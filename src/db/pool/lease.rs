//! A connection while it is in use, and what its errors mean for the other connections of the pool.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use deadpool::managed::Object;
use sea_orm::{DbBackend, DbErr, Statement};

use super::connections::Pool;
use super::manager::ConnectionManager;
use crate::db::connection::{Connection, StatementResult, is_lost};

/// A connection acquired from the pool. Dropping it returns the connection to the pool if it is clean and
/// closes it otherwise.
pub struct Lease {
    /// None only during `drop`.
    pub(super) object: Option<Object<ConnectionManager>>,
    pub(super) pool: Pool,
}

impl Lease {
    /// Runs a statement.
    pub async fn run(&mut self, statement: &Statement) -> Result<StatementResult, DbErr> {
        let outcome = Connection::run(self, statement).await;
        self.pool.notify_observer(&statement.sql);
        self.record_result(outcome)
    }

    /// Runs SQL without parameters.
    pub async fn run_unprepared(&mut self, sql: &str, limit: Duration) -> Result<StatementResult, DbErr> {
        let outcome = Connection::run_unprepared(self, sql, limit).await;
        self.pool.notify_observer(sql);
        self.record_result(outcome)
    }

    /// Begins a transaction.
    pub async fn begin(&mut self, lock_timeout: Duration) -> Result<(), DbErr> {
        let begun = Connection::begin(self, lock_timeout).await;
        self.record_result(begun)
    }

    /// Commits and checks that SQLite has written to the file at the configured path.
    pub async fn commit(&mut self) -> Result<(), DbErr> {
        let committed = Connection::commit(self).await;
        self.record_result(committed)?;
        self.pool.record_write()
    }

    /// Runs a single statement in its own transaction.
    pub async fn run_in_transaction(
        &mut self,
        statement: &Statement,
        lock_timeout: Duration,
    ) -> Result<StatementResult, DbErr> {
        self.begin(lock_timeout).await?;
        match self.run(statement).await {
            Ok(outcome) => self.commit().await.map(|()| outcome),
            Err(error) => {
                // If this fails, the connection is not clean and is therefore closed.
                let _ = self.roll_back().await;
                Err(error)
            }
        }
    }

    fn record_result<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &outcome {
            self.record_error(error);
        }
        outcome
    }

    /// Updates the state of the pool after an error.
    pub(super) fn record_error(&self, error: &DbErr) {
        if self.pool.backend() == DbBackend::Sqlite && !self.is_clean() {
            self.pool.0.last_write.mark_doubtful();
        }
        // When several connections are lost together, only the first error retires the others.
        let is_current = self.generation == self.pool.0.generation.load(Ordering::Relaxed);
        let has_timed_out = matches!(error, DbErr::ConnectionAcquire(_));
        // A busy pooler also times out, which tells nothing about the other connections.
        let affects_all = is_lost(error) && (self.has_session_limits || !has_timed_out);
        if is_current && self.pool.backend() == DbBackend::Postgres && affects_all {
            self.pool.retire();
        }
        if has_timed_out {
            self.pool.0.timeouts_in_a_row.fetch_max(1, Ordering::Relaxed);
        }
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.object.as_ref().expect("the object is present until drop")
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        self.object.as_mut().expect("the object is present until drop")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        if object.is_clean() {
            object.last_used = Instant::now();
        } else {
            drop(Object::take(object));
        }
    }
}
