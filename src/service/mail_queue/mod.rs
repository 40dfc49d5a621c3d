//! The queue of mails in the database. A mail is queued in the transaction that it reports, and sent after the
//! commit by one instance. The row of a mail that was sent is deleted.

mod cleanup;
mod figures;
mod operator;
mod outbox;
mod record;
mod rows;
mod sender;

pub use figures::MailFigures;
pub use operator::WaitingMails;
pub use outbox::{NewMail, Outbox};
pub use sender::MailSender;
