//! A client of the subprotocol graphql-transport-ws over a real connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

use super::Server;

/// The time limit for a message.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A WebSocket of a client.
pub struct SocketClient {
    socket: WebSocket<TcpStream>,
    /// The number of ping frames that the server has sent.
    pub pings: usize,
}

impl SocketClient {
    /// Opens a WebSocket.
    pub fn open(address: &str) -> Self {
        Self::open_with(address, "")
    }

    /// Opens a WebSocket with an Authorization header in its handshake.
    pub fn open_with(address: &str, authorization: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(TIME_LIMIT)).expect("the time limit is valid");
        stream.set_nodelay(true).expect("the socket takes the option");
        let mut request = format!("ws://{address}/graphql").into_client_request().expect("a valid address");
        let protocol = "graphql-transport-ws".parse().expect("a valid value");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        if !authorization.is_empty() {
            request.headers_mut().insert("authorization", authorization.parse().expect("a valid value"));
        }
        let (socket, response) = tungstenite::client(request, stream).expect("the handshake succeeds");
        assert_eq!(response.headers()["sec-websocket-protocol"], "graphql-transport-ws");
        Self { socket, pings: 0 }
    }

    pub fn send(&mut self, message: &Value) {
        self.send_frame(Message::text(message.to_string()));
    }

    /// Sends a frame that the server may refuse to read completely.
    pub fn send_frame(&mut self, message: Message) {
        let _ = self.socket.send(message);
    }

    /// Sends bytes that may be no frame, and that the server may refuse to read completely.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.socket.get_mut().write_all(bytes);
    }

    /// Reads what arrives, without an answer, until the connection ends.
    pub fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        self.socket.get_mut().read_to_end(&mut bytes).expect("the server closes");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The next message.
    pub fn receive(&mut self) -> Value {
        match self.read() {
            Ok(Some(text)) => serde_json::from_str(&text).expect("a message is JSON"),
            other => panic!("no message but {other:?}"),
        }
    }

    /// The next message, or the close frame.
    pub fn try_receive(&mut self) -> Result<Value, String> {
        let text = self.read()?.ok_or("nothing")?;
        Ok(serde_json::from_str(&text).expect("a message is JSON"))
    }

    /// The next text, or None when the server has closed the connection.
    fn read(&mut self) -> Result<Option<String>, String> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Ok(Some(text.to_string())),
                Ok(Message::Ping(_)) => {
                    self.pings += 1;
                    let _ = self.socket.flush();
                }
                Ok(Message::Close(frame)) => {
                    let _ = self.socket.flush();
                    let frame =
                        frame.map(|CloseFrame { code, reason }| format!("{} {reason}", u16::from(code)));
                    return Err(frame.unwrap_or_default());
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    return Ok(None);
                }
                Err(error) => return Err(format!("lost: {error}")),
            }
        }
    }

    /// Asserts that nothing but pings arrives for a time.
    pub fn assert_silent_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.socket.get_ref().set_read_timeout(Some(left)).expect("the time limit is valid");
            match self.socket.read() {
                Ok(Message::Ping(_)) => self.pings += 1,
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                other => panic!("{other:?}"),
            }
            self.socket.flush().expect("the server reads");
        }
        self.socket.get_ref().set_read_timeout(Some(TIME_LIMIT)).expect("the time limit is valid");
    }

    /// Reads messages until the server closes. Returns the close code and its reason.
    pub fn close_frame(&mut self) -> String {
        loop {
            match self.read() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the server does not close"),
                Err(frame) => return frame,
            }
        }
    }

    /// Closes the connection with code 1000.
    pub fn close(&mut self) {
        let frame = CloseFrame { code: 1000.into(), reason: "done".into() };
        self.socket.close(Some(frame)).expect("the server reads");
        assert_eq!(self.close_frame(), "1000 done");
    }

    /// Sends `connection_init` with this payload and waits for the acknowledgement.
    pub fn initialize(&mut self, payload: &Value) {
        self.send(&json!({ "type": "connection_init", "payload": payload }));
        assert_eq!(self.receive(), json!({ "type": "connection_ack" }));
    }

    /// Begins an operation.
    pub fn subscribe(&mut self, id: &str, query: &str, variables: &Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(&json!({ "type": "subscribe", "id": id, "payload": payload }));
    }

    /// The payload of the next message, which must be `next` of this operation.
    pub fn next(&mut self, id: &str) -> Value {
        let mut message = self.receive();
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        message["payload"].take()
    }

    /// The code of the next message, which must be `error` of this operation.
    pub fn error(&mut self, id: &str) -> String {
        let message = self.receive();
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message}");
        message["payload"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }
}

impl Server {
    /// Opens a WebSocket.
    pub fn web_socket(&self) -> SocketClient {
        SocketClient::open(&self.address)
    }

    /// Opens a WebSocket and signs in.
    pub fn signed_in_web_socket(&self, token: &str) -> SocketClient {
        let mut socket = self.web_socket();
        socket.initialize(&json!({ "authorization": format!("Bearer {token}") }));
        socket
    }
}
