//! Mails: puts them together, and hands them to a mail server or writes them to files. The text and the token of
//! a mail exist only here, while it is sent. This is the only layer that knows SMTP.

mod attempt;
mod error;
mod files;
mod links;
mod message;
mod server;
mod smtp;
mod texts;
mod unbuffered;
mod values;

use anyhow::Result;
use uuid::Uuid;

pub use attempt::Attempt;
pub use error::SendError;
pub use links::{LinkTemplate, Links};
pub use message::{Sender, mailed_address};
pub use server::{Security, SmtpServer};
pub use values::{Delivery, Destination, LinkToken, Mail};

use self::files::MailFolder;
use self::message::Message;
use self::smtp::SmtpClient;
use crate::domain::Instant;

/// Sends mails.
pub struct Mailer {
    sender: Sender,
    links: Links,
    transport: Transport,
}

enum Transport {
    Server(SmtpClient),
    Folder(MailFolder),
}

impl Mailer {
    /// A mailer without open connections.
    ///
    /// Errors: the certificates in SSL_CERT_FILE cannot be used.
    pub fn new(destination: Destination, sender: Sender, links: Links) -> Result<Self> {
        let transport = match destination {
            Destination::Server(server) => {
                let own_name = links.host().unwrap_or_else(|| sender.domain()).to_owned();
                Transport::Server(SmtpClient::new(server, own_name)?)
            }
            Destination::Folder(path) => Transport::Folder(MailFolder::new(path)),
        };
        Ok(Self { sender, links, transport })
    }

    /// Tries to send a mail, within half a minute.
    pub async fn send(&self, mail: &Mail) -> Attempt {
        match Message::of(mail, &self.sender, &self.links) {
            Ok(message) => self.transmit(message).await,
            Err(error) => Attempt::without_connection(Err(error)),
        }
    }

    /// Tries to send a mail that only shows that mails arrive. `now` is the time that it names.
    pub async fn send_test(&self, recipient: &str, id: Uuid, now: Instant) -> Attempt {
        match Message::test(recipient, id, now, &self.sender, &self.links) {
            Ok(message) => self.transmit(message).await,
            Err(error) => Attempt::without_connection(Err(error)),
        }
    }

    /// Connects and signs in to the mail server, or writes to the folder of the files, and returns which of them it was.
    pub async fn check(&self) -> Result<String, SendError> {
        match &self.transport {
            Transport::Server(client) => client.check().await,
            Transport::Folder(folder) => folder.check().map(|()| folder.to_string()),
        }
    }

    /// Checks that mails can be written to the folder of the files, if mails are files.
    pub fn check_folder(&self) -> Result<(), SendError> {
        match &self.transport {
            Transport::Server(_) => Ok(()),
            Transport::Folder(folder) => folder.check(),
        }
    }

    /// The folder of the files; None when mails go to a mail server.
    pub fn folder(&self) -> Option<String> {
        match &self.transport {
            Transport::Server(_) => None,
            Transport::Folder(folder) => Some(folder.to_string()),
        }
    }

    async fn transmit(&self, message: Message) -> Attempt {
        match &self.transport {
            Transport::Server(client) => client.send(&message).await,
            Transport::Folder(folder) => Attempt::without_connection(folder.write(message).await),
        }
    }
}
