//! How often signing in may fail: counted in the database, so across instances, and the same whether
//! the account exists or not. An attempt is counted before it is made and given back when it succeeds,
//! so of any number at once no more than the limit are ever tried.

use std::sync::Weak;
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::db::entity::login_attempt::{ActiveModel, Column, Entity, Model};
use crate::db::{Database, map_error};
use crate::domain::{Clock, Error, Result};
use crate::identity::Client;

/// Failures of one account from anywhere, for each ten that it may have from one network.
const ANYWHERE: i32 = 10;
const NETWORK_WINDOW: TimeDelta = TimeDelta::minutes(15);
const ACCOUNT_WINDOW: TimeDelta = TimeDelta::hours(1);

const CLEARED_EVERY: Duration = Duration::from_secs(300);

/// Counts failed attempts.
pub struct Throttle {
    database: Database,
    clock: Clock,
    /// Failures of one account from one network in 15 minutes; 0 counts nothing.
    limit: i32,
}

/// An attempt that has been counted.
#[must_use]
pub struct Attempt(Vec<Uuid>);

impl Throttle {
    pub fn new(database: Database, clock: Clock, limit: i32) -> Self {
        Self { database, clock, limit }
    }

    /// Counts an attempt on an account, whoever it is, or refuses it.
    pub async fn begin(&self, account: &str, client: &Client) -> Result<Attempt> {
        if self.limit == 0 {
            return Ok(Attempt(Vec::new()));
        }
        let now = self.clock.now();
        let network = client.network().to_string();
        let buckets = [
            (key(&["network", account, &network]), self.limit, NETWORK_WINDOW),
            (key(&["account", account]), self.limit.saturating_mul(ANYWHERE), ACCOUNT_WINDOW),
        ];
        let mut counted = Attempt(Vec::new());
        for (key, limit, window) in buckets {
            let bucket = self.count(key, now, now + window).await?;
            counted.0.push(key);
            if bucket.failures > limit {
                self.give_back(counted).await?;
                let wait = (bucket.resets_at - now).num_seconds() + 1;
                return Err(Error::RateLimited { retry_after: wait.unsigned_abs() });
            }
        }
        Ok(counted)
    }

    /// Takes an attempt back unless the password was wrong: a lack of room to hash, say, is no fault of
    /// whoever tries.
    pub async fn settle<T>(&self, attempt: Attempt, outcome: Result<T>) -> Result<T> {
        let failed = matches!(outcome, Err(Error::InvalidCredentials(_)));
        if !failed && let Err(error) = self.give_back(attempt).await {
            // It stops counting by itself, and what was done is done.
            tracing::debug!(%error, "an attempt to sign in could not be taken back");
        }
        outcome
    }

    async fn give_back(&self, attempt: Attempt) -> Result<()> {
        // One by one: two statements that lock several rows could wait for each other.
        for key in attempt.0 {
            let counted = Entity::update_many()
                .filter(Column::Key.eq(key))
                .filter(Column::Failures.gt(0))
                .col_expr(Column::Failures, Column::Failures.into_expr().sub(1));
            counted.exec(self.database.write()).await.map_err(map_error)?;
        }
        Ok(())
    }

    async fn count(
        &self,
        key: Uuid,
        now: crate::domain::Instant,
        resets_at: crate::domain::Instant,
    ) -> Result<Model> {
        let over = || Expr::col((Entity, Column::ResetsAt)).lte(now);
        let failures = Expr::col((Entity, Column::Failures));
        let failures = CaseStatement::new().case(over(), 1).finally(failures.add(1));
        let resets =
            CaseStatement::new().case(over(), resets_at).finally(Expr::col((Entity, Column::ResetsAt)));
        let row = ActiveModel {
            key: sea_orm::ActiveValue::Set(key),
            failures: sea_orm::ActiveValue::Set(1),
            resets_at: sea_orm::ActiveValue::Set(resets_at),
        };
        let on_conflict = OnConflict::column(Column::Key)
            .values([(Column::Failures, failures.into()), (Column::ResetsAt, resets.into())])
            .to_owned();
        let insert = Entity::insert(row).on_conflict(on_conflict);
        insert.exec_with_returning(self.database.write()).await.map_err(map_error)
    }

    /// Clears away what no longer counts, for as long as anybody else holds the throttle.
    pub async fn forget_old(throttle: Weak<Self>) {
        let mut interval = tokio::time::interval(CLEARED_EVERY);
        loop {
            interval.tick().await;
            let Some(throttle) = throttle.upgrade() else { return };
            if let Err(error) = throttle.clear().await {
                tracing::debug!(%error, "old login attempts could not be cleared away");
            }
        }
    }

    async fn clear(&self) -> Result<()> {
        let over = Entity::delete_many().filter(Column::ResetsAt.lte(self.clock.now()));
        over.exec(self.database.write()).await.map_err(map_error).map(drop)
    }
}

/// A key that does not tell what it was made of.
fn key(parts: &[&str]) -> Uuid {
    let digest = parts.iter().fold(Sha256::new(), |digest, part| {
        digest.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    let digest = digest.finalize();
    uuid::Builder::from_random_bytes(digest[..16].try_into().expect("16 of 32 bytes")).into_uuid()
}
