//! The figures of the mails of this instance, for its metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::{MailKind, StoredEnum};

/// The outcome of an attempt to send a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailOutcome {
    /// A mail server or a file has the mail.
    Sent,
    /// It is tried again later.
    Retry,
    /// It is not tried again.
    Failed,
}

impl MailOutcome {
    const ALL: [Self; 3] = [Self::Sent, Self::Retry, Self::Failed];

    /// The name in the log and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Retry => "retry",
            Self::Failed => "failed",
        }
    }
}

/// The numbers of attempts of this instance, and of the mails that wait in the database.
#[derive(Debug, Default)]
pub struct MailFigures {
    attempts: [[AtomicU64; MailOutcome::ALL.len()]; MailKind::ALL.len()],
    waiting: AtomicU64,
}

impl MailFigures {
    /// The number of attempts since the start by kind and outcome.
    pub fn attempts(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        let all = MailKind::ALL.iter().zip(&self.attempts);
        all.flat_map(|(kind, outcomes)| {
            let of_kind = MailOutcome::ALL.iter().zip(outcomes);
            of_kind.map(|(outcome, count)| (kind.name(), outcome.name(), count.load(Ordering::Relaxed)))
        })
    }

    /// The number of mails that wait, at most 15 s old.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, kind: MailKind, outcome: MailOutcome) {
        self.attempts[kind as usize][outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_waiting(&self, count: u64) {
        self.waiting.store(count, Ordering::Relaxed);
    }
}
