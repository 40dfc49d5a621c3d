//! Counters of events in the database, for all instances together: failed logins, mails, and requests for new
//! passwords. A counter begins with its first event and ends after its period.

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict, SimpleExpr};
use sea_orm::{ConnectionTrait, EntityTrait};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::db::entity::login_attempt::{ActiveModel, Column, Entity, Model};
use crate::db::map_error;
use crate::domain::{Error, Instant, Result};

/// A count that expires later than its period plus this tolerance was written by an instance whose clock was
/// ahead. It is ignored, because otherwise the account would stay locked until then. With a smaller tolerance
/// valid counts would be ignored, because the clocks of instances differ slightly and statements overtake
/// each other.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(60);

/// A counter and its limit.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    pub key: Uuid,
    /// The maximum number of events in a period.
    pub limit: i32,
    /// At most an hour, because the cleanup deletes counters that end later.
    pub period: TimeDelta,
    /// The account whose failed logins are counted.
    pub user_id: Option<Uuid>,
}

impl Counter {
    /// Whether a count that expires at `resets_at` is valid now.
    pub fn is_current(&self, resets_at: Instant, now: Instant) -> bool {
        now < resets_at && resets_at <= now + self.period + CLOCK_TOLERANCE
    }

    /// The negation of [`Self::is_current`] as a condition on the stored row.
    fn is_expired(&self, now: Instant) -> SimpleExpr {
        let resets_at = || Expr::col((Entity, Column::ResetsAt));
        resets_at().lte(now).or(resets_at().gt(now + self.period + CLOCK_TOLERANCE))
    }

    /// Fails with RateLimited when event number `number` is beyond the limit.
    pub fn check(&self, number: i32, resets_at: Instant, now: Instant) -> Result<()> {
        if number <= self.limit {
            return Ok(());
        }
        let seconds = (resets_at - now).num_seconds() + 1;
        let retry_after = seconds.clamp(1, self.period.num_seconds()).unsigned_abs();
        Err(Error::RateLimited { retry_after })
    }

    /// Counts one event.
    ///
    /// Errors: RateLimited when it is beyond the limit.
    pub async fn record(&self, on: &impl ConnectionTrait, now: Instant) -> Result<()> {
        let row = ActiveModel {
            key: Set(self.key),
            failures: Set(1),
            resets_at: Set(now + self.period),
            user_id: Set(self.user_id),
        };
        let failures = Expr::col((Entity, Column::Failures)).add(1);
        let failures = CaseStatement::new().case(self.is_expired(now), 1).finally(failures);
        let resets_at = CaseStatement::new()
            .case(self.is_expired(now), now + self.period)
            .finally(Expr::col((Entity, Column::ResetsAt)));
        let on_conflict = OnConflict::column(Column::Key)
            .values([
                (Column::Failures, failures.into()),
                (Column::ResetsAt, resets_at.into()),
                (Column::UserId, Expr::val(self.user_id)),
            ])
            .to_owned();
        let insert = Entity::insert(row).on_conflict(on_conflict);
        let counted: Model = insert.exec_with_returning(on).await.map_err(map_error)?;
        self.check(counted.failures, counted.resets_at, now)
    }
}

/// Hashes `parts` to a key that does not reveal them.
pub fn key(parts: &[&str]) -> Uuid {
    let digest = parts.iter().fold(Sha256::new(), |digest, part| {
        digest.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    let digest = digest.finalize();
    uuid::Builder::from_random_bytes(digest[..16].try_into().expect("16 of 32 bytes")).into_uuid()
}
