//! Why a mail was not sent. The error never contains what the mail server said beside its code, because that may
//! quote the address of the recipient.

use std::fmt;

/// A failed attempt to send a mail. It is displayed as the second part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendError {
    problem: &'static str,
    /// The reply code of the mail server.
    pub smtp_code: Option<u16>,
    /// Whether another attempt would fail in the same way.
    pub is_final: bool,
}

impl SendError {
    /// A failure that may be different at the next attempt.
    pub const fn temporary(problem: &'static str) -> Self {
        Self { problem, smtp_code: None, is_final: false }
    }

    /// A failure that will be the same at each attempt.
    pub const fn permanent(problem: &'static str) -> Self {
        Self { problem, smtp_code: None, is_final: true }
    }

    /// The same with the code that the mail server replied, if there was a reply.
    pub(super) fn with_code(self, smtp_code: Option<u16>) -> Self {
        Self { smtp_code, ..self }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.smtp_code {
            Some(code) => write!(formatter, "{} (code {code})", self.problem),
            None => formatter.write_str(self.problem),
        }
    }
}

impl std::error::Error for SendError {}
