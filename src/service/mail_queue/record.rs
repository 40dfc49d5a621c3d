//! Records the result of an attempt to send a mail: in the queue, in the log and in the metrics.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use uuid::Uuid;

use super::figures::MailOutcome;
use super::sender::MailSender;
use crate::db::entity::mail::Model;
use crate::db::in_transaction;
use crate::domain::{MailKind, Result, StoredEnum};
use crate::mail::{Delivery, SendError};

/// The pauses in seconds after the first, second, … attempt; the last one is repeated.
const PAUSES_SECONDS: [i64; 6] = [5, 30, 120, 600, 1_800, 3_600];
/// The part of a pause by which it is shorter or longer at random, in thousandths. So mails that failed together
/// are not tried again together.
const MAX_DEVIATION_PER_MILLE: i64 = 200;
/// From this attempt on, a mail that was not delivered is a warning.
const FIRST_WARNING_ATTEMPT: i32 = 3;
/// How long a result that the database does not take is kept. A mail whose result is lost is sent again.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);
const STORE_RETRY_DELAY: Duration = Duration::from_millis(500);

impl MailSender {
    /// Records the result of an attempt.
    pub(super) async fn record(
        &self,
        kind: MailKind,
        row: &Model,
        result: &Result<Delivery, SendError>,
        duration: Duration,
    ) {
        let outcome = match result {
            Ok(_) => MailOutcome::Sent,
            Err(error) if error.is_final => MailOutcome::Failed,
            Err(_) => MailOutcome::Retry,
        };
        let begun = Instant::now();
        while let Err(error) = self.store(kind, row, outcome, result).await {
            tracing::debug!(%error, "the result of a mail could not be stored");
            if begun.elapsed() >= STORE_TIMEOUT {
                break;
            }
            tokio::time::sleep(STORE_RETRY_DELAY).await;
        }
        self.figures.count(kind, outcome);
        log(row, kind, outcome, result, duration);
    }

    async fn store(
        &self,
        kind: MailKind,
        row: &Model,
        outcome: MailOutcome,
        result: &Result<Delivery, SendError>,
    ) -> Result<()> {
        match outcome {
            MailOutcome::Sent => self.rows.delete(row).await,
            MailOutcome::Retry => self.retry(row, kind, smtp_code(result)).await,
            MailOutcome::Failed => self.rows.fail(row, smtp_code(result)).await,
        }
    }

    /// Lets the mail wait, and its link be valid until then: the mail may have arrived all the same.
    async fn retry(&self, row: &Model, kind: MailKind, smtp_code: Option<u16>) -> Result<()> {
        let pause = pause(row.attempts);
        let token = row.token_id.zip(kind.token_purpose());
        in_transaction!(self.database, |transaction| {
            if let Some((id, purpose)) = token {
                self.tokens.extend(&transaction, id, purpose, pause).await?;
            }
            self.rows.retry(&transaction, row, pause, smtp_code).await
        })
    }
}

fn smtp_code(result: &Result<Delivery, SendError>) -> Option<u16> {
    match result {
        Ok(delivery) => delivery.smtp_code,
        Err(error) => error.smtp_code,
    }
}

/// The pause after an attempt, counted from 1.
fn pause(attempt: i32) -> TimeDelta {
    let index = usize::try_from(attempt - 1).unwrap_or_default().min(PAUSES_SECONDS.len() - 1);
    let values = 2 * MAX_DEVIATION_PER_MILLE + 1;
    let random = Uuid::new_v4().as_u128() % u128::from(values.unsigned_abs());
    let random = i64::try_from(random).unwrap_or_default();
    TimeDelta::milliseconds(PAUSES_SECONDS[index] * (1_000 - MAX_DEVIATION_PER_MILLE + random))
}

/// One line for the attempt, without the address and the text of the mail server.
fn log(
    row: &Model,
    kind: MailKind,
    outcome: MailOutcome,
    result: &Result<Delivery, SendError>,
    duration: Duration,
) {
    let attempt = row.attempts;
    let is_warning = match outcome {
        MailOutcome::Sent => false,
        MailOutcome::Retry => attempt >= FIRST_WARNING_ATTEMPT,
        MailOutcome::Failed => true,
    };
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (kind, outcome, smtp_code) = (kind.name(), outcome.name(), smtp_code(result));
    let file = result.as_ref().ok().and_then(|delivery| delivery.file.as_deref());
    if let Err(error) = result {
        tracing::debug!(mail_id = %row.id, %error, "a mail was not sent");
    }
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(mail_id = %row.id, kind, outcome, attempt, duration_ms, smtp_code, file, "mail")
        };
    }
    if is_warning { line!(warn) } else { line!(info) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_deviate_by_at_most_a_fifth() {
        for (attempt, seconds) in [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1_800), (6, 3_600), (70, 3_600)] {
            let pauses: Vec<_> = (0..1_000).map(|_| pause(attempt).num_milliseconds()).collect();
            let (least, most) = (pauses.iter().min().copied(), pauses.iter().max().copied());
            assert!(least >= Some(seconds * 800) && most <= Some(seconds * 1_200), "{least:?} to {most:?}");
            assert!(least < Some(seconds * 900) && most > Some(seconds * 1_100), "{least:?} to {most:?}");
        }
    }
}
