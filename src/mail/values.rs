//! A mail before it is put together, and where mails go.

use std::path::PathBuf;

use chrono::TimeDelta;
use secrecy::SecretString;
use uuid::Uuid;

use super::server::SmtpServer;
use crate::domain::{Instant, MailKind};

/// A mail to send.
#[derive(Clone, Debug)]
pub struct Mail {
    pub id: Uuid,
    pub kind: MailKind,
    /// The address as it is stored with the account.
    pub recipient: String,
    /// When it was queued.
    pub created_at: Instant,
    /// The time that it names.
    pub event_at: Instant,
    /// The address of the client whose request it reports; None when no client made a request.
    pub ip_address: Option<String>,
    /// The beginning of the API key that it reports.
    pub key_start: Option<String>,
    /// The token in its link.
    pub token: Option<LinkToken>,
}

/// The token in the link of a mail.
#[derive(Clone, Debug)]
pub struct LinkToken {
    pub token: SecretString,
    /// How long it is valid from now on.
    pub lifetime: TimeDelta,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A mail server.
    Server(SmtpServer),
    /// Files in a folder.
    Folder(PathBuf),
}

/// What took a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The reply code of the mail server.
    pub smtp_code: Option<u16>,
    /// The name of the file.
    pub file: Option<String>,
}
