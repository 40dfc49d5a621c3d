//! Queues mails, within the limits of the queue and of each address.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use chrono::TimeDelta;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::auth::ClientInfo;
use crate::db::entity::mail::{ActiveModel, Column, Entity};
use crate::db::entity::{reset_request, user};
use crate::db::{Transaction, map_error};
use crate::domain::{Clock, Error, Instant, MailKind, Result, StoredEnum, new_id};
use crate::mail::mailed_address;
use crate::service::rate_counters::{Counter, key};

/// The maximum number of mails that wait.
const MAX_WAITING: u64 = 10_000;
/// The maximum number of notices of one kind to one address in an hour. They are counted by kind, so that many of one
/// kind do not leave out those of another one.
const NOTICES_PER_HOUR: i32 = 20;
/// The shortest time between two log lines about a full queue.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

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

impl<'a> NewMail<'a> {
    /// A notice to the address of an account.
    pub fn notice(kind: MailKind, user: &'a user::Model, event_at: Instant) -> Self {
        let (user_id, recipient) = (Some(user.id), user.email.as_str());
        Self { kind, user_id, recipient, token_id: None, event_at, ip_address: None, key_start: None }
    }

    /// The same mail, which reports a request of a client.
    pub fn for_client(self, client: &ClientInfo) -> Self {
        Self { ip_address: Some(client.address), ..self }
    }
}

/// Queues mails. Clones share the notification of the job that sends them.
#[derive(Clone)]
pub struct Outbox {
    clock: Clock,
    /// The maximum number of mails with a link of one kind to one address in an hour; 0: no limit.
    links_per_hour: i32,
    queued: Arc<Notify>,
    /// The time of the last log line about a full queue.
    warned_at: Arc<Mutex<Option<std::time::Instant>>>,
}

impl Outbox {
    pub fn new(clock: Clock, links_per_hour: i32) -> Self {
        Self { clock, links_per_hour, queued: Arc::default(), warned_at: Arc::default() }
    }

    /// The notification that mails were queued and committed.
    pub fn queued(&self) -> Arc<Notify> {
        self.queued.clone()
    }

    /// Tells the job that sends mails that some were committed.
    pub fn notify(&self) {
        self.queued.notify_one();
    }

    /// Whether the queue takes another mail.
    pub async fn has_capacity(&self, on: &impl ConnectionTrait) -> Result<bool> {
        let waiting = Entity::find().filter(Column::FailedAt.is_null()).count(on).await.map_err(map_error)?;
        let requests = reset_request::Entity::find().count(on).await.map_err(map_error)?;
        Ok(waiting + requests < MAX_WAITING)
    }

    /// Checks that the queue takes another mail.
    ///
    /// Errors: Unavailable when too many mails wait.
    pub async fn check_capacity(&self, on: &impl ConnectionTrait) -> Result<()> {
        match self.has_capacity(on).await? {
            true => Ok(()),
            false => Err(Error::unavailable(anyhow!("{MAX_WAITING} mails wait"))),
        }
    }

    /// Counts a mail of a kind to an address.
    ///
    /// Errors: RateLimited when it is beyond a limit.
    pub async fn count_link(&self, on: &Transaction, kind: MailKind, address: &str) -> Result<()> {
        if self.links_per_hour == 0 {
            return Ok(());
        }
        let counter = |name, limit, period| Counter {
            key: key(&["mail", kind.name(), name, &counted_address(address)]),
            limit,
            period,
            user_id: None,
        };
        let now = self.clock.now();
        // A mail that the first limit refuses is not counted by the second one.
        counter("minute", 1, TimeDelta::minutes(1)).record(on, now).await?;
        counter("hour", self.links_per_hour, TimeDelta::hours(1)).record(on, now).await
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

    /// Queues a notice. It is left out when its address has had too many of its kind within an hour, or the queue is full.
    pub async fn queue_notice(&self, on: &Transaction, mail: NewMail<'_>) -> Result<()> {
        let counter = Counter {
            key: key(&["notice", mail.kind.name(), &counted_address(mail.recipient)]),
            limit: NOTICES_PER_HOUR,
            period: TimeDelta::hours(1),
            user_id: None,
        };
        if self.admits(on, counter.record(on, self.clock.now()).await).await? {
            self.queue(on, mail).await
        } else {
            Ok(())
        }
    }

    /// Whether a mail that may be left out is queued: it was counted without an error, and the queue is not full.
    pub async fn admits(&self, on: &Transaction, counted: Result<()>) -> Result<bool> {
        match counted {
            Ok(()) => {}
            Err(Error::RateLimited { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let has_capacity = self.has_capacity(on).await?;
        let mut warned_at = self.warned_at.lock().unwrap_or_else(PoisonError::into_inner);
        if !has_capacity && warned_at.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL) {
            *warned_at = Some(std::time::Instant::now());
            tracing::warn!(limit = MAX_WAITING, "too many mails wait; further ones are left out");
        }
        Ok(has_capacity)
    }
}

/// The form of an address by which its mails are counted: several spellings of a domain lead to one mailbox.
fn counted_address(address: &str) -> String {
    mailed_address(address).unwrap_or_else(|| address.to_owned()).to_lowercase()
}
