//! The background job that sends mails: at most four at the same time, new ones before those that were tried
//! before.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::figures::MailFigures;
use super::outbox::Outbox;
use super::rows::MailRows;
use crate::db::entity::mail::Model;
use crate::db::entity::parse_stored;
use crate::db::{Database, as_job};
use crate::domain::{Clock, MailKind, Result};
use crate::mail::{LinkToken, Mail, Mailer, SendError};
use crate::service::email_tokens::EmailTokens;

/// The interval at which this job looks for mails that other processes have queued, and for those to try again.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum number of mails that are sent at the same time.
const MAX_SENDING: u32 = 4;
/// The maximum number of them that were tried before, so that a server that does not reply to those never delays
/// a new mail.
const MAX_RETRYING: usize = 3;
/// How long a stop waits for the attempts in progress. A mail whose attempt has not ended is sent by another
/// instance, or after the restart.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends the mails of the queue.
pub struct MailSender {
    pub(super) rows: MailRows,
    pub(super) tokens: Arc<EmailTokens>,
    pub(super) database: Database,
    pub(super) figures: MailFigures,
    clock: Clock,
    mailer: Mailer,
    outbox: Outbox,
    sending: Arc<Semaphore>,
    retrying: Arc<Semaphore>,
}

const GIVEN_UP: SendError = SendError::permanent("it was tried for as long as it is useful");
const PANICKED: SendError = SendError::temporary("the attempt ended with a panic");

impl MailSender {
    pub fn new(
        database: Database,
        clock: Clock,
        mailer: Mailer,
        tokens: Arc<EmailTokens>,
        outbox: Outbox,
    ) -> Self {
        Self {
            rows: MailRows::new(database.clone(), clock.clone()),
            tokens,
            database,
            figures: MailFigures::default(),
            clock,
            mailer,
            outbox,
            sending: Arc::new(Semaphore::new(MAX_SENDING as usize)),
            retrying: Arc::new(Semaphore::new(MAX_RETRYING)),
        }
    }

    /// The figures of the mails.
    pub fn figures(&self) -> &MailFigures {
        &self.figures
    }

    /// Sends mails when they are due, until the last other reference to `sender` is dropped.
    pub async fn run(sender: Weak<Self>) {
        loop {
            let Some(sender) = sender.upgrade() else { return };
            let queued = sender.outbox.queued();
            if let Err(error) = sender.start_due().await {
                tracing::debug!(%error, "the queue of mails could not be read");
            }
            drop(sender);
            // The result is ignored: the job looks again after a notification and after the interval.
            let _ = tokio::time::timeout(POLL_INTERVAL, queued.notified()).await;
        }
    }

    /// Waits until no mail is being sent, and sends no more.
    pub async fn finish(&self) {
        if let Ok(Ok(all)) = tokio::time::timeout(STOP_TIMEOUT, self.sending.acquire_many(MAX_SENDING)).await
        {
            all.forget();
        }
    }

    /// Starts attempts until no mail is due or no place is free.
    async fn start_due(self: &Arc<Self>) -> Result<()> {
        while let Ok(place) = self.sending.clone().try_acquire_owned() {
            let retrying = self.retrying.clone().try_acquire_owned().ok();
            let Some(row) = self.rows.claim(retrying.is_none()).await? else { break };
            let places = (place, retrying.filter(|_| row.attempts > 1));
            let sender = self.clone();
            tokio::spawn(as_job(async move {
                if let Err(error) = sender.attempt(Arc::new(row)).await {
                    tracing::debug!(%error, "a mail could not be prepared; it is tried again after its claim");
                }
                drop(places);
                // The job looks for the next mail.
                sender.outbox.notify();
            }));
        }
        Ok(())
    }

    /// Tries to send a claimed mail and records the result.
    async fn attempt(self: &Arc<Self>, row: Arc<Model>) -> Result<()> {
        let begun = Instant::now();
        let Some(mail) = self.prepare(&row).await? else { return Ok(()) };
        let kind = mail.kind;
        let sender = self.clone();
        let gives_up = self.clock.now() >= row.gives_up_at;
        let sending =
            async move { if gives_up { Err(GIVEN_UP) } else { Ok(sender.mailer.send(&mail).await) } };
        // In a task of its own, because a panic is a failed attempt.
        let attempt = tokio::spawn(sending).await.unwrap_or(Err(PANICKED));
        let result = match &attempt {
            Ok(attempt) => attempt.result.clone(),
            Err(error) => Err(*error),
        };
        self.record(kind, &row, &result, begun.elapsed()).await;
        if let Ok(attempt) = attempt {
            attempt.close().await;
        }
        Ok(())
    }

    /// The mail of a row, whose token is valid from now on. None when its token was ended: then nothing is sent.
    async fn prepare(&self, row: &Model) -> Result<Option<Mail>> {
        let kind = parse_stored::<MailKind>(&row.kind)?;
        let token = match row.token_id.zip(kind.token_purpose()) {
            None => None,
            Some((id, purpose)) => match self.tokens.renew(self.database.write(), id, purpose).await? {
                Some(lifetime) => {
                    Some(LinkToken { token: SecretString::from(self.tokens.issue(id)), lifetime })
                }
                None => {
                    self.rows.delete(row).await?;
                    tracing::debug!(mail_id = %row.id, "a mail was not sent, because its link was ended");
                    return Ok(None);
                }
            },
        };
        Ok(Some(Mail {
            id: row.id,
            kind,
            recipient: row.recipient.clone(),
            created_at: row.created_at,
            event_at: row.event_at,
            ip_address: row.ip_address.clone(),
            key_start: row.key_start.clone(),
            token,
        }))
    }
}
