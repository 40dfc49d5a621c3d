//! The job for what expires: tells users of API keys that expire soon, and deletes the rows of keys and of the tokens
//! of mails that have expired. Several instances may run it at the same time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::entity::api_key::{COLUMN, Column, Entity, Model};
use crate::db::entity::user;
use crate::db::{Database, in_transaction, map_error};
use crate::domain::{Clock, MailKind, Result};
use crate::service::email_tokens::EmailTokens;
use crate::service::mail_queue::{NewMail, Outbox};

const CHECK_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// How long before the expiry of a key its user is told.
const TOLD_BEFORE: TimeDelta = TimeDelta::days(7);
/// How long expired keys are listed.
const LISTED_FOR: TimeDelta = TimeDelta::days(30);
/// The number of rows that one statement reads or deletes.
const ROWS_PER_STATEMENT: u64 = 500;

/// Tells users of keys that expire, and deletes what has expired.
pub struct Expiry {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) outbox: Outbox,
    pub(super) email_tokens: Arc<EmailTokens>,
}

impl Expiry {
    /// Runs once an hour, until the last other reference to `expiry` is dropped.
    pub async fn run(expiry: Weak<Self>) {
        let mut interval = tokio::time::interval(CHECK_INTERVAL);
        loop {
            interval.tick().await;
            let Some(expiry) = expiry.upgrade() else { return };
            let steps = [
                expiry.tell_users().await,
                expiry.delete_keys().await,
                expiry.email_tokens.delete_expired(&expiry.database).await,
            ];
            for error in steps.into_iter().filter_map(Result::err) {
                tracing::debug!(%error, "expired API keys or tokens could not be processed");
            }
        }
    }

    async fn tell_users(&self) -> Result<()> {
        loop {
            let now = self.clock.now();
            let soon = Entity::find()
                .filter(COLUMN.expiry_told_at.is_null())
                .filter(COLUMN.expires_at.gt(now))
                .filter(COLUMN.expires_at.lte(now + TOLD_BEFORE))
                .limit(ROWS_PER_STATEMENT);
            let keys = soon.all(self.database.read()).await.map_err(map_error)?;
            for key in &keys {
                self.tell_user(key).await?;
            }
            if keys.is_empty() {
                return Ok(());
            }
            self.outbox.notify();
        }
    }

    /// Queues the mail about one key. The update lets one of several instances do that.
    async fn tell_user(&self, key: &Model) -> Result<()> {
        in_transaction!(self.database, |transaction| {
            let user = user::Entity::find_by_id(key.user_id).one(&transaction).await.map_err(map_error)?;
            let told = Entity::update_many()
                .filter(COLUMN.id.eq(key.id))
                .filter(COLUMN.expiry_told_at.is_null())
                .col_expr(Column::ExpiryToldAt, Expr::val(self.clock.now()));
            let is_first = told.exec(&transaction).await.map_err(map_error)?.rows_affected == 1;
            let Some(user) = user.filter(|user| is_first && user.is_active) else { return Ok(()) };
            let mail = NewMail {
                kind: MailKind::ApiKeyExpiring,
                user_id: Some(user.id),
                recipient: &user.email,
                token_id: None,
                event_at: key.expires_at,
                ip_address: None,
                key_start: Some(&key.start),
            };
            self.outbox.queue_notice(&transaction, mail).await
        })
    }

    async fn delete_keys(&self) -> Result<()> {
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
