//! The background job that counts the mails that wait, and deletes failed mails and expired tokens.

use std::sync::Weak;
use std::time::Duration;

use chrono::TimeDelta;

use super::sender::MailSender;
use crate::domain::Result;

/// The interval of the counts.
const COUNT_INTERVAL: Duration = Duration::from_secs(15);
/// The number of counts for each cleanup: one hour.
const COUNTS_PER_CLEANUP: u64 = 240;
/// How long failed mails are kept.
const FAILED_KEPT_FOR: TimeDelta = TimeDelta::days(7);

impl MailSender {
    /// Counts and deletes regularly, until the last other reference to `sender` is dropped. Several instances may
    /// run this job at the same time.
    pub async fn maintain(sender: Weak<Self>) {
        let mut interval = tokio::time::interval(COUNT_INTERVAL);
        for round in 0_u64.. {
            interval.tick().await;
            let Some(sender) = sender.upgrade() else { return };
            if let Err(error) = sender.count_and_clean(round.is_multiple_of(COUNTS_PER_CLEANUP)).await {
                tracing::debug!(%error, "the queue of mails could not be counted or cleaned");
            }
        }
    }

    async fn count_and_clean(&self, clean: bool) -> Result<()> {
        self.figures.set_waiting(self.rows.waiting().await?);
        if clean {
            self.rows.delete_failed(FAILED_KEPT_FOR).await?;
            self.tokens.delete_expired(&self.database).await?;
        }
        Ok(())
    }
}
