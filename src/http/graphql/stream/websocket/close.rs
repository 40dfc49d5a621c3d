//! How a WebSocket ends: the close codes with their reasons.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;

use crate::api::SessionEnd;

/// A close code that the server sends, with its reason.
#[derive(Clone, Debug)]
pub struct Close {
    code: u16,
    reason: Cow<'static, str>,
}

/// The end of a WebSocket.
#[derive(Debug)]
pub enum End {
    /// The server closes it.
    ByServer(Close),
    /// The client has closed it with this code.
    ByClient(u16),
    /// The server ends it with this code, which the client is not told because it does not read.
    Unread(Close),
    /// The connection is lost, or the client does not read.
    Gone,
}

impl End {
    /// The close code, or `gone`, for the log.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::ByServer(Close { code, .. }) | Self::Unread(Close { code, .. }) | Self::ByClient(code) => {
                code.to_string().into()
            }
            Self::Gone => "gone".into(),
        }
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::ByServer(close)
    }
}

impl Close {
    pub const STOPPING: Self = Self::new(1001, "Server is stopping");
    pub const TOO_BIG: Self = Self::new(1009, "Message too big");
    pub const TOO_MANY_CONNECTIONS: Self = Self::new(1013, "Too many connections");
    pub const TRY_AGAIN_LATER: Self = Self::new(1013, "Try again later");
    pub const INVALID_MESSAGE: Self = Self::new(4400, "Invalid message");
    pub const UNAUTHORIZED: Self = Self::new(4401, "Unauthorized");
    pub const AUTHENTICATION_REQUIRED: Self = Self::new(4401, "Authentication required");
    pub const INVALID_TOKEN: Self = Self::new(4401, "Invalid token");
    pub const TOKEN_EXPIRED: Self = Self::new(4403, "Token has expired");
    pub const INITIALIZATION_TIMEOUT: Self = Self::new(4408, "Connection initialisation timeout");
    pub const PING_TIMEOUT: Self = Self::new(4408, "Ping timeout");
    pub const TOO_MANY_INITIALIZATIONS: Self = Self::new(4429, "Too many initialisation requests");

    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// The client uses the id of an open operation, which has at most 64 bytes, for another one.
    pub fn duplicate_id(id: &str) -> Self {
        Self { code: 4409, reason: format!("Subscriber for {id} already exists").into() }
    }

    /// The session of the client has ended.
    pub fn of_session(end: SessionEnd) -> Self {
        match end {
            SessionEnd::Expired => Self::TOKEN_EXPIRED,
            SessionEnd::Ended => Self::INVALID_TOKEN,
        }
    }

    /// The frame that tells the client.
    pub fn frame(&self) -> CloseFrame {
        CloseFrame { code: self.code.into(), reason: Utf8Bytes::from(&*self.reason) }
    }
}
