//! Queues mails, within the limits of the queue and of each address.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::anyhow;
use chrono::TimeDelta;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::db::entity::mail::{ActiveModel, Column, Entity};
use crate::db::entity::reset_request;
use crate::db::{Transaction, map_error};
use crate::domain::{Clock, Error, Instant, MailKind, Result, StoredEnum, new_id};
use crate::service::rate_counters::{Counter, key};

/// The maximum number of mails that wait.
const MAX_WAITING: u64 = 10_000;
/// The maximum number of notices to one address in an hour.
const NOTICES_PER_HOUR: i32 = 20;

/// A mail to queue.
pub struct NewMail<'a> {
    pub kind: MailKind,
    /// The account; None when the mail is sent although the account is deleted.
    pub user_id: Option<Uuid>,
    /// The address as it is stored with the account.
    pub recipient: &'a str,
    /// The row of the token in the link.
    pub token_id: Option<Uuid>,
    /// The time that the mail names.
    pub event_at: Instant,
    /// The address of the client whose request the mail reports.
    pub ip_address: Option<IpAddr>,
    /// The beginning of the API key that the mail reports.
    pub key_start: Option<&'a str>,
}

/// Queues mails. Clones share the notification of the job that sends them.
#[derive(Clone)]
pub struct Outbox {
    clock: Clock,
    /// The maximum number of mails with a link of one kind to one address in an hour; 0: no limit.
    links_per_hour: i32,
    queued: Arc<Notify>,
}

impl Outbox {
    pub fn new(clock: Clock, links_per_hour: i32) -> Self {
        Self { clock, links_per_hour, queued: Arc::default() }
    }

    /// The notification that mails were queued and committed.
    pub fn queued(&self) -> Arc<Notify> {
        self.queued.clone()
    }

    /// Tells the job that sends mails that some were committed.
    pub fn notify(&self) {
        self.queued.notify_one();
    }

    /// Checks that the queue takes another mail.
    ///
    /// Errors: Unavailable when too many mails wait.
    pub async fn check_capacity(&self, on: &impl ConnectionTrait) -> Result<()> {
        let waiting = Entity::find().filter(Column::FailedAt.is_null()).count(on).await.map_err(map_error)?;
        let requests = reset_request::Entity::find().count(on).await.map_err(map_error)?;
        if waiting + requests < MAX_WAITING {
            Ok(())
        } else {
            Err(Error::unavailable(anyhow!("{waiting} mails wait; the limit is {MAX_WAITING}")))
        }
    }

    /// Counts a mail of a kind to an address, given in lower case.
    ///
    /// Errors: RateLimited when it is beyond a limit.
    pub async fn count_link(&self, on: &Transaction, kind: MailKind, address: &str) -> Result<()> {
        if self.links_per_hour == 0 {
            return Ok(());
        }
        let parts = |period: &'static str| key(&["mail", kind.name(), period, address]);
        let hour = Counter {
            key: parts("hour"),
            limit: self.links_per_hour,
            period: TimeDelta::hours(1),
            user_id: None,
        };
        let minute = Counter { key: parts("minute"), limit: 1, period: TimeDelta::minutes(1), user_id: None };
        let now = self.clock.now();
        let (hour, minute) = (hour.record(on, now).await, minute.record(on, now).await);
        // The hour lasts longer, so its error is the one that tells when the next mail is possible.
        hour.and(minute)
    }

    /// Queues a mail that was counted with [`Self::count_link`].
    pub async fn queue(&self, on: &Transaction, mail: NewMail<'_>) -> Result<()> {
        let now = self.clock.now();
        let row = ActiveModel {
            id: Set(new_id()),
            kind: Set(mail.kind.name().to_owned()),
            user_id: Set(mail.user_id),
            recipient: Set(mail.recipient.to_owned()),
            token_id: Set(mail.token_id),
            event_at: Set(mail.event_at),
            ip_address: Set(mail.ip_address.map(|address| address.to_canonical().to_string())),
            key_start: Set(mail.key_start.map(str::to_owned)),
            created_at: Set(now),
            // It is due, also for an instance whose clock is behind.
            due_at: Set(Instant::UNIX_EPOCH),
            lease_until: NotSet,
            attempts: Set(0),
            gives_up_at: Set(now + mail.kind.gives_up_after()),
            failed_at: NotSet,
            smtp_code: NotSet,
        };
        Entity::insert(row).exec_without_returning(on).await.map_err(map_error).map(drop)
    }

    /// Queues a notice. It is left out when its address has had too many within an hour, or the queue is full.
    pub async fn queue_notice(&self, on: &Transaction, mail: NewMail<'_>) -> Result<()> {
        let counter = Counter {
            key: key(&["notice", &mail.recipient.to_lowercase()]),
            limit: NOTICES_PER_HOUR,
            period: TimeDelta::hours(1),
            user_id: None,
        };
        match counter.record(on, self.clock.now()).await.and(self.check_capacity(on).await) {
            Ok(()) => self.queue(on, mail).await,
            Err(Error::RateLimited { .. } | Error::Unavailable(_)) => {
                tracing::warn!(
                    kind = mail.kind.name(),
                    "a mail was left out: too many mails wait or were sent"
                );
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
