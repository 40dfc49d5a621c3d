//! The messages of the subprotocol graphql-transport-ws (PROTOCOL.md of npm graphql-ws, version 6).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::auth::Credential;
use crate::http::graphql::request::bearer;

const MAX_ID_BYTES: usize = 64;
/// A longer text is not a cursor.
const MAX_CURSOR_BYTES: usize = 100;

/// A message from a client.
#[derive(Debug)]
pub enum ClientMessage {
    ConnectionInit {
        /// `authorization` in the payload.
        credential: Option<Credential>,
        /// `lastEventId` in the payload. A text that is too long for a cursor is replaced by an empty one, which
        /// is no cursor either, so that a WebSocket does not keep it.
        last_event_id: Option<String>,
    },
    Subscribe {
        id: String,
        /// A JSON object, whose members have not been checked.
        payload: String,
    },
    Complete {
        id: String,
    },
    Ping {
        payload: Option<String>,
    },
    Pong,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    ty: String,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl ClientMessage {
    /// Parses a message; None if it is not valid.
    pub fn parse(text: &str) -> Option<Self> {
        // serde would read a list as the members in their order.
        let text = text.trim_start();
        let Envelope { ty, id, payload } =
            if text.starts_with('{') { serde_json::from_str(text).ok()? } else { return None };
        let payload = payload.map(RawValue::get);
        if payload.is_some_and(|payload| !payload.starts_with('{')) && ty != "complete" {
            return None;
        }
        let id = || {
            let id: String = serde_json::from_str(id?.get()).ok()?;
            (1..=MAX_ID_BYTES).contains(&id.len()).then_some(id)
        };
        match ty.as_str() {
            "connection_init" => Self::connection_init(payload),
            "subscribe" => Some(Self::Subscribe { id: id()?, payload: payload?.to_owned() }),
            "complete" => Some(Self::Complete { id: id()? }),
            "ping" => Some(Self::Ping { payload: payload.map(str::to_owned) }),
            "pong" => Some(Self::Pong),
            _ => None,
        }
    }

    fn connection_init(payload: Option<&str>) -> Option<Self> {
        let payload: Map<String, Value> = serde_json::from_str(payload.unwrap_or("{}")).ok()?;
        let (mut credential, mut last_event_id) = (None, None);
        for (name, value) in payload {
            let is_authorization = name.eq_ignore_ascii_case("authorization");
            if !is_authorization && name != "lastEventId" {
                continue;
            }
            match value {
                Value::String(text) if is_authorization => credential = Some(bearer(&text)),
                Value::String(text) if text.len() > MAX_CURSOR_BYTES => last_event_id = Some(String::new()),
                Value::String(text) => last_event_id = Some(text),
                Value::Null => {}
                _ => return None,
            }
        }
        Some(Self::ConnectionInit { credential, last_event_id })
    }
}

/// The message that accepts `connection_init`.
pub const CONNECTION_ACK: &[u8] = b"{\"type\":\"connection_ack\"}";

/// The answer to a ping.
pub fn pong(payload: Option<&str>) -> String {
    match payload {
        Some(payload) => format!("{{\"type\":\"pong\",\"payload\":{payload}}}"),
        None => "{\"type\":\"pong\"}".to_owned(),
    }
}

/// The message that ends an operation.
pub fn complete(id: &str) -> String {
    format!("{{\"id\":{},\"type\":\"complete\"}}", Value::from(id))
}

/// The beginning of a message of an operation, up to its payload. A `}` ends the message.
pub fn before_payload(id: &str, ty: &str) -> Vec<u8> {
    format!("{{\"id\":{},\"type\":\"{ty}\",\"payload\":", Value::from(id)).into_bytes()
}
