//! Tells users of API keys that expire soon, and deletes those that have expired. Several instances may run this job
//! at the same time.

use std::sync::Weak;
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::entity::api_key::{COLUMN, Column, Entity, Model};
use crate::db::{Database, in_transaction, map_error};
use crate::domain::{Clock, MailKind, Result};
use crate::service::mail_queue::{NewMail, Outbox};
use crate::service::recovery::lock_active_user;

const CHECK_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How long before the expiry of a key its user is told.
const TOLD_BEFORE: TimeDelta = TimeDelta::days(7);
/// How long expired keys are listed.
const LISTED_FOR: TimeDelta = TimeDelta::days(30);
/// The number of rows that one statement reads or deletes.
const ROWS_PER_STATEMENT: u64 = 500;

/// Tells users of keys that expire, and deletes those that have expired.
pub struct ExpiringKeys {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) outbox: Outbox,
}

impl ExpiringKeys {
    /// Runs once an hour, until the last other reference to `keys` is dropped.
    pub async fn run(keys: Weak<Self>) {
        let mut interval = tokio::time::interval(CHECK_INTERVAL);
        loop {
            interval.tick().await;
            let Some(keys) = keys.upgrade() else { return };
            let steps = [keys.tell_users().await, keys.delete_expired().await];
            for error in steps.into_iter().filter_map(Result::err) {
                tracing::debug!(%error, "expired API keys could not be processed");
            }
        }
    }

    async fn tell_users(&self) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let now = self.clock.now();
            let soon = Entity::find()
                .filter(COLUMN.id.gt(last))
                .filter(COLUMN.expiry_told_at.is_null())
                .filter(COLUMN.expires_at.gt(now))
                .filter(COLUMN.expires_at.lte(now + TOLD_BEFORE))
                .order_by_asc(Column::Id)
                .limit(ROWS_PER_STATEMENT);
            let keys = soon.all(self.database.read()).await.map_err(map_error)?;
            let Some(end) = keys.last() else { return Ok(()) };
            last = end.id;
            for key in &keys {
                if let Err(error) = self.tell_user(key).await {
                    tracing::debug!(%error, "a user could not be told that an API key expires");
                }
            }
            self.outbox.notify();
        }
    }

    /// Queues the mail about one key, unless its user is inactive. The update lets one of several instances do that.
    async fn tell_user(&self, key: &Model) -> Result<()> {
        in_transaction!(self.database, |transaction| {
            let Some(user) = lock_active_user(&transaction, key.user_id).await? else { return Ok(()) };
            let told = Entity::update_many()
                .filter(COLUMN.id.eq(key.id))
                .filter(COLUMN.expiry_told_at.is_null())
                .col_expr(Column::ExpiryToldAt, Expr::val(self.clock.now()));
            if told.exec(&transaction).await.map_err(map_error)?.rows_affected == 0 {
                return Ok(());
            }
            let mail = NewMail {
                key_start: Some(&key.start),
                ..NewMail::notice(MailKind::ApiKeyExpiring, &user, key.expires_at)
            };
            self.outbox.queue_notice(&transaction, mail).await
        })
    }

    async fn delete_expired(&self) -> Result<()> {
        loop {
            // Ids are read first, because reading does not block SQLite's writer.
            let old = Entity::find().select_only().column(Column::Id);
            let old = old.filter(COLUMN.expires_at.lte(self.clock.now() - LISTED_FOR));
            let old = old.limit(ROWS_PER_STATEMENT).into_tuple::<Uuid>();
            let ids = old.all(self.database.read()).await.map_err(map_error)?;
            if ids.is_empty() {
                return Ok(());
            }
            let delete = Entity::delete_many().filter(COLUMN.id.is_in(ids));
            delete.exec(self.database.write()).await.map_err(map_error)?;
        }
    }
}
