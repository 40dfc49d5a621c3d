//! Processes the requests for a new password: looks up the account and queues its mail. Several instances may run
//! this job at the same time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::db::entity::reset_request::{COLUMN, Column, Entity, Model};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{Clock, Error, MailKind, Result, TokenPurpose};
use crate::service::accounts::find_by_login;
use crate::service::email_tokens::{EmailTokens, NewToken};
use crate::service::mail_queue::{NewMail, Outbox};
use crate::service::recovery::lock_active_user;

/// The interval at which this job looks for requests that no instance has processed: after a restart, for example.
/// The instance that receives a request notifies its own job.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// The number of requests that one query reads.
const REQUESTS_PER_READ: u64 = 100;
/// Older requests are deleted without a mail, which the user would not expect any more.
const MAX_AGE: TimeDelta = TimeDelta::hours(1);

/// Processes requests for a new password.
pub struct ResetRequests {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) outbox: Outbox,
    pub(super) email_tokens: Arc<EmailTokens>,
    /// Notified when a request was committed.
    pub(super) requested: Arc<Notify>,
}

impl ResetRequests {
    /// Processes requests until the last other reference to `requests` is dropped.
    pub async fn run(requests: Weak<Self>) {
        loop {
            let Some(requests) = requests.upgrade() else { return };
            if let Err(error) = requests.process_all().await {
                tracing::debug!(%error, "requests for new passwords could not be read");
            }
            let requested = requests.requested.clone();
            drop(requests);
            // The result is ignored: the job looks again after a notification and after the interval.
            let _ = tokio::time::timeout(CHECK_INTERVAL, requested.notified()).await;
        }
    }

    /// Processes the requests, oldest first. One that fails stays for the next time, and does not delay the others.
    async fn process_all(&self) -> Result<()> {
        let mut last = Uuid::nil();
        loop {
            let next = Entity::find().filter(COLUMN.id.gt(last)).order_by_asc(Column::Id);
            let requests =
                next.limit(REQUESTS_PER_READ).all(self.database.read()).await.map_err(map_error)?;
            let Some(end) = requests.last() else { return Ok(()) };
            last = end.id;
            for request in &requests {
                if let Err(error) = self.process(request).await {
                    tracing::debug!(%error, "a request for a new password failed");
                }
            }
            self.outbox.notify();
        }
    }

    async fn process(&self, request: &Model) -> Result<()> {
        let is_recent = (self.clock.now() - request.created_at).abs() <= MAX_AGE;
        let user = match is_recent {
            true => find_by_login(&self.database, &request.login).await?.map(|user| user.id),
            false => None,
        };
        in_transaction!(self.database, |transaction| {
            let unlocked = Entity::find().filter(COLUMN.id.eq(request.id));
            let unlocked = unlocked.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
            if unlocked.one(&transaction).await.map_err(map_error)?.is_none() {
                // Another instance processes it.
                return Ok(());
            }
            if let Some(user) = user {
                self.queue_mail(&transaction, user, request).await?;
            }
            let delete = Entity::delete_many().filter(COLUMN.id.eq(request.id));
            delete.exec(&transaction).await.map_err(map_error).map(drop)
        })
    }

    /// Queues the mail of a request, if the account is active and no limit is reached.
    async fn queue_mail(&self, on: &Transaction, user: Uuid, request: &Model) -> Result<()> {
        let Some(user) = lock_active_user(on, user).await? else { return Ok(()) };
        let kind = MailKind::ResetPassword;
        match self.outbox.count_link(on, kind, &user.email_key).await {
            Err(Error::RateLimited { .. }) => return Ok(()),
            counted => counted?,
        }
        let token = NewToken {
            user_id: user.id,
            purpose: TokenPurpose::Reset,
            email: &user.email,
            usable: true,
            delivered_within: Some(kind.gives_up_after()),
        };
        let mail = NewMail {
            kind,
            user_id: Some(user.id),
            recipient: &user.email,
            token_id: Some(self.email_tokens.create(on, token).await?),
            event_at: request.created_at,
            ip_address: request.ip_address.parse().ok(),
            key_start: None,
        };
        self.outbox.queue(on, mail).await
    }
}
