//! Limits how often signing in to an account may fail. Failures are counted in the database, for all
//! instances together, whether or not the account exists. A failure is counted before the client gets its
//! response, and beyond the limit even a correct password gets RATE_LIMITED, so the limit is exact. Each
//! instance also counts its attempts in progress in memory: an attempt that could exceed the limit waits for
//! the results of the others, so that usually no password is hashed in vain.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use anyhow::anyhow;
use chrono::TimeDelta;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use uuid::Uuid;

use crate::auth::ClientInfo;
use crate::db::entity::login_attempt::{Column, Entity};
use crate::db::{Database, Transaction, map_error};
use crate::domain::{Clock, Error, Result};
use crate::service::rate_counters::{CLOCK_TOLERANCE, Counter, key};

/// The limit of an account over all networks is this multiple of its limit for one network.
const ACCOUNT_LIMIT_FACTOR: i32 = 10;
const NETWORK_PERIOD: TimeDelta = TimeDelta::minutes(15);
const ACCOUNT_PERIOD: TimeDelta = TimeDelta::hours(1);
/// The maximum time that an attempt waits for the results of others.
const MAX_WAIT: Duration = Duration::from_secs(2);

const CLEANUP_INTERVAL: Duration = Duration::from_secs(300);
/// The number of expired counts that one statement deletes.
const ROWS_PER_CLEANUP: u64 = 500;

/// The account that an attempt is for.
#[derive(Clone, Copy, Debug)]
pub enum ThrottledAccount<'a> {
    /// An existing account, whether its e-mail address or its username was entered.
    Known(Uuid),
    /// A name without an account, in lower case.
    Unknown(&'a str),
}

/// Counts failed sign-in attempts.
pub struct LoginThrottle {
    database: Database,
    clock: Clock,
    /// The maximum number of failures of one account from one client network in 15 minutes; 0 disables the
    /// throttle.
    limit: i32,
    in_progress: InProgress,
}

/// An attempt in progress: from before its password is hashed until its result is counted.
#[must_use]
pub struct Attempt<'a> {
    throttle: &'a LoginThrottle,
    counts: Vec<Counter>,
}

impl LoginThrottle {
    pub fn new(database: Database, clock: Clock, limit: i32) -> Self {
        Self { database, clock, limit, in_progress: InProgress::default() }
    }

    /// Begins an attempt.
    ///
    /// Errors: RateLimited when a limit is reached; Unavailable when the attempts in progress could reach it
    /// and do not finish within [`MAX_WAIT`].
    pub async fn begin(&self, account: ThrottledAccount<'_>, client: &ClientInfo) -> Result<Attempt<'_>> {
        let counts = self.counts(account, client);
        let deadline = tokio::time::Instant::now() + MAX_WAIT;
        loop {
            let failures = self.check_failures(&counts).await?;
            match self.in_progress.try_add(&counts, &failures) {
                Ok(()) => return Ok(Attempt { throttle: self, counts }),
                Err(result) => {
                    let late = |_| Error::unavailable(anyhow!("other attempts to sign in took too long"));
                    tokio::time::timeout_at(deadline, result).await.map_err(late)?;
                }
            }
        }
    }

    fn counts(&self, account: ThrottledAccount<'_>, client: &ClientInfo) -> Vec<Counter> {
        if self.limit == 0 {
            return Vec::new();
        }
        let (kind, name, user_id) = match account {
            ThrottledAccount::Known(id) => ("id", id.to_string(), Some(id)),
            ThrottledAccount::Unknown(name) => ("name", name.to_owned(), None),
        };
        let network = client.network().to_string();
        vec![
            Counter {
                key: key(&["account", kind, &name]),
                limit: self.limit.saturating_mul(ACCOUNT_LIMIT_FACTOR),
                period: ACCOUNT_PERIOD,
                user_id,
            },
            Counter {
                key: key(&["network", kind, &name, &network]),
                limit: self.limit,
                period: NETWORK_PERIOD,
                user_id,
            },
        ]
    }

    /// The current number of failures of each count.
    ///
    /// Errors: RateLimited when a limit is reached.
    async fn check_failures(&self, counts: &[Counter]) -> Result<Vec<i32>> {
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        let keys = counts.iter().map(|count| count.key);
        let rows = Entity::find().filter(Column::Key.is_in(keys)).all(self.database.read()).await;
        let (rows, now) = (rows.map_err(map_error)?, self.clock.now());
        let of_count = |count: &Counter| {
            let row = rows.iter().find(|row| row.key == count.key && count.is_current(row.resets_at, now));
            row.map_or(Ok(0), |row| count.check(row.failures + 1, row.resets_at, now).map(|()| row.failures))
        };
        counts.iter().map(of_count).collect()
    }

    /// Deletes expired counts regularly, until the last other reference to `throttle` is dropped.
    pub async fn delete_expired(throttle: Weak<Self>) {
        let mut interval = tokio::time::interval(CLEANUP_INTERVAL);
        loop {
            interval.tick().await;
            let Some(throttle) = throttle.upgrade() else { return };
            if let Err(error) = throttle.delete_expired_rows().await {
                tracing::debug!(%error, "expired login attempts could not be deleted");
            }
        }
    }

    /// Ends the failures counted for an account, from all networks.
    pub async fn clear(&self, on: &Transaction, account: Uuid) -> Result<()> {
        // An instance of an earlier version has not written the account into the row.
        let own_key = Column::Key.eq(key(&["account", "id", &account.to_string()]));
        let of_account = Entity::delete_many().filter(Column::UserId.eq(account).or(own_key));
        of_account.exec(on).await.map_err(map_error).map(drop)
    }

    async fn delete_expired_rows(&self) -> Result<()> {
        let now = self.clock.now();
        let latest_valid = now + ACCOUNT_PERIOD + CLOCK_TOLERANCE;
        let is_expired = Column::ResetsAt.lte(now).or(Column::ResetsAt.gt(latest_valid));
        loop {
            // Keys are read first, because reading does not block SQLite's writer, and then deleted in small
            // groups.
            let keys = Entity::find().select_only().column(Column::Key).filter(is_expired.clone());
            let keys = keys.limit(ROWS_PER_CLEANUP).into_tuple::<Uuid>().all(self.database.read()).await;
            let keys = keys.map_err(map_error)?;
            let found = keys.len() as u64;
            let delete = Entity::delete_many().filter(Column::Key.is_in(keys)).filter(is_expired.clone());
            delete.exec(self.database.write()).await.map_err(map_error)?;
            if found < ROWS_PER_CLEANUP {
                return Ok(());
            }
        }
    }
}

impl Attempt<'_> {
    /// Ends the attempt and returns whether the password was correct.
    ///
    /// Errors: RateLimited when a limit was reached in the meantime; the client must then not learn the
    /// result.
    pub async fn finish(self, is_correct: bool) -> Result<bool> {
        if is_correct {
            self.throttle.check_failures(&self.counts).await?;
        } else {
            // One statement per count: two statements that lock several rows could wait for each other.
            for count in &self.counts {
                count.record(self.throttle.database.write(), self.throttle.clock.now()).await?;
            }
        }
        Ok(is_correct)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.throttle.in_progress.remove(&self.counts);
    }
}

/// The attempts in progress on this instance, by the key of their count.
#[derive(Default)]
struct InProgress(Mutex<HashMap<Uuid, Attempts>>);

/// The attempts in progress of one count.
#[derive(Default)]
struct Attempts {
    number: i32,
    /// Notified of each result.
    result: Arc<Notify>,
}

impl InProgress {
    /// Adds an attempt. When the attempts in progress could reach a limit, returns the notification to wait
    /// for instead. A failure that was counted after `failures` was read may be missed here; the module
    /// documentation explains why the limit is exact nevertheless.
    fn try_add(&self, counts: &[Counter], failures: &[i32]) -> std::result::Result<(), OwnedNotified> {
        let mut attempts = self.0.lock().expect("no holder panics");
        for (count, failures) in counts.iter().zip(failures) {
            if let Some(attempts) = attempts.get(&count.key)
                && failures.saturating_add(attempts.number) >= count.limit
            {
                return Err(attempts.result.clone().notified_owned());
            }
        }
        for count in counts {
            attempts.entry(count.key).or_default().number += 1;
        }
        Ok(())
    }

    fn remove(&self, counts: &[Counter]) {
        let mut attempts = self.0.lock().expect("no holder panics");
        for count in counts {
            let Some(of_count) = attempts.get_mut(&count.key) else { continue };
            of_count.number -= 1;
            of_count.result.notify_waiters();
            if of_count.number == 0 {
                attempts.remove(&count.key);
            }
        }
    }
}
