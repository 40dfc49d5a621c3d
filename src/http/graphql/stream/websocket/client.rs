//! What is known about the client of a WebSocket since its handshake.

use crate::auth::{ClientInfo, Credential};

/// The name of the transport in the log and the metrics.
pub const TRANSPORT: &str = "websocket";

/// The client of a WebSocket.
pub struct Client {
    pub info: ClientInfo,
    /// The credential in the Authorization header.
    pub credential: Credential,
    pub request_id: String,
}
