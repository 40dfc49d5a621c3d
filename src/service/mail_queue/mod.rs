//! The queue of mails in the database. A mail is queued in the transaction that it reports.

mod outbox;

pub use outbox::{NewMail, Outbox};
