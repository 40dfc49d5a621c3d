//! An attempt to send a mail, and the end of its connection.

use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::timeout;

use super::error::SendError;
use super::values::Delivery;

/// How long the end of a connection waits for the server.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// An attempt to send a mail, after its result is known. The connection to the mail server may still be open, so
/// that the result can be recorded before the server replies to the end of the connection.
pub struct Attempt {
    pub result: Result<Delivery, SendError>,
    connection: Option<AsyncSmtpConnection>,
}

impl Attempt {
    pub(super) fn without_connection(result: Result<Delivery, SendError>) -> Self {
        Self { result, connection: None }
    }

    pub(super) fn on(connection: AsyncSmtpConnection, result: Result<Delivery, SendError>) -> Self {
        Self { result, connection: Some(connection) }
    }

    /// Ends the connection to the mail server. It waits only shortly for the server.
    pub async fn close(self) {
        if let Some(connection) = self.connection {
            quit(connection).await;
        }
    }
}

/// Says that a connection ends, and waits shortly for the reply, which changes nothing.
pub(super) async fn quit(mut connection: AsyncSmtpConnection) {
    let _ = timeout(QUIT_TIMEOUT, connection.quit()).await;
}
