//! A WebSocket connection: receives and sends messages, and closes in an orderly way.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, Utf8Bytes};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::http::graphql::stream::websocket::close::{Close, End};

/// The initial size of the buffer for what a client sends, which every idle client occupies. Longer messages enlarge
/// it.
const READ_BUFFER_BYTES: usize = 1 << 10;
/// How much is written to the network at a time.
const WRITE_BUFFER_BYTES: usize = 4 << 10;
const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// The largest frame that is sent. The library keeps the memory of the largest one for the life of a socket.
const MAX_FRAME_BYTES: usize = 4 << 10;
/// How long the client may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How many bytes are discarded after a close frame.
const MAX_DISCARDED_BYTES: u64 = 64 << 20;
/// The code of a close frame without a code (RFC 6455, 7.1.5).
const NO_CLOSE_CODE: u16 = 1005;

/// A WebSocket of a client.
pub struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl Socket {
    pub async fn new(upgraded: Upgraded) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let stream = TokioIo::new(upgraded);
        Self(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
    }

    /// Waits for the next message; None is a ping or pong frame. Pings are answered by the library.
    pub async fn receive(&mut self) -> Result<Option<Utf8Bytes>, End> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Some(text)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Ok(Message::Close(frame))) => {
                Err(End::ByClient(frame.map_or(NO_CLOSE_CODE, |frame| frame.code.into())))
            }
            Some(Err(Error::Capacity(_))) => Err(Close::TOO_BIG.into()),
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => Err(End::Gone),
            Some(Ok(Message::Binary(_)) | Err(Error::Utf8(_) | Error::Protocol(_))) => {
                Err(Close::INVALID_MESSAGE.into())
            }
            Some(Err(_)) | None => Err(End::Gone),
        }
    }

    /// Sends a message that is given in pieces. It returns when the network has taken all of it.
    pub async fn send(&mut self, pieces: Vec<Bytes>) -> Result<(), End> {
        let mut data = Data::Text;
        let mut pieces = pieces.into_iter().peekable();
        while let Some(mut piece) = pieces.next() {
            while !piece.is_empty() {
                let part = piece.split_to(piece.len().min(MAX_FRAME_BYTES));
                let is_last = piece.is_empty() && pieces.peek().is_none();
                let frame = Frame::message(part, OpCode::Data(data), is_last);
                self.0.feed(Message::Frame(frame)).await.map_err(|_| End::Gone)?;
                data = Data::Continue;
            }
        }
        self.0.flush().await.map_err(|_| End::Gone)
    }

    /// Sends a ping frame, which the client's library answers.
    pub async fn ping(&mut self) -> Result<(), End> {
        self.0.send(Message::Ping(Bytes::new())).await.map_err(|_| End::Gone)
    }

    /// Ends the connection. The client has a second to answer a close frame.
    pub async fn finish(&mut self, end: End) {
        let closing = async {
            let mut is_answered = match end {
                End::ByServer(close) => {
                    self.0.send(Message::Close(Some(close.frame()))).await.ok()?;
                    false
                }
                End::ByClient(_) => true,
                End::Unread(_) | End::Gone => return None,
            };
            // This also sends the answer to a close frame of the client.
            while let Some(Ok(message)) = self.0.next().await {
                is_answered |= message.is_close();
            }
            if !is_answered {
                // Unread bytes would reset the connection, and the close frame could be lost.
                let mut rest = self.0.get_mut().take(MAX_DISCARDED_BYTES);
                while rest.read(&mut [0; WRITE_BUFFER_BYTES]).await.ok()? > 0 {}
            }
            Some(())
        };
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }
}
