//! An initialized WebSocket: one loop over the messages of the client, its operations, the keepalive, the end
//! of the session and the stop of the server.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, ServerError};
use axum::body::Bytes;
use futures_util::FutureExt;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::api::{Event, StreamSession};
use crate::graphql::{Disposition, ErrorCode, Execution, JsonChunks, code_name};
use crate::http::graphql::json::{add_errors, add_response};
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::stream::LAST_EVENT_TIMEOUT;
use crate::http::graphql::stream::open_stream::OpenStream;
use crate::http::graphql::stream::turns::NextEvent;
use crate::http::graphql::stream::websocket::close::{Close, End};
use crate::http::graphql::stream::websocket::message::{ClientMessage, before_payload, complete, pong};
use crate::http::graphql::stream::websocket::operations::{Operations, Progress};
use crate::http::graphql::stream::websocket::socket::Socket;
use crate::http::server::{Place, ServedRequest};
use crate::http::shared::Shared;

/// How long the client may take to read a message.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// The connection of a WebSocket that is a stream.
pub struct Connection {
    pub socket: Socket,
    /// Keeps the connection from being closed for another one.
    pub _in_use: ServedRequest,
    pub _place: Arc<Place>,
}

/// An initialized WebSocket.
pub struct Session {
    state: Arc<Shared>,
    connection: Connection,
    open: OpenStream,
    operations: Operations,
    request_id: String,
    /// When something has come from the client the last time.
    heard: Instant,
}

impl Session {
    pub fn new(
        state: Arc<Shared>,
        connection: Connection,
        open: OpenStream,
        operations: Operations,
        request_id: String,
    ) -> Self {
        Self { state, connection, open, operations, request_id, heard: Instant::now() }
    }

    /// Serves the WebSocket until it ends. What is needed only for a moment is boxed, so that an idle one does
    /// not keep its memory.
    pub async fn run(mut self: Box<Self>) {
        let Err(end) = self.serve().await;
        let Self { mut connection, mut open, operations, .. } = *self;
        open.set_close(end.name());
        drop((open, operations));
        Box::pin(connection.socket.finish(end)).await;
    }

    async fn serve(&mut self) -> Result<Infallible, End> {
        let (state, session) = (self.state.clone(), self.open.session.clone());
        let keepalive = state.streams.settings.keepalive;
        let mut streams_end = pin!(state.readiness.streams_end());
        let mut session_end = pin!(session.wait_for_end());
        let mut keepalive_due = pin!(sleep_until(Instant::now() + keepalive));
        let mut silence_due = pin!(sleep_until(self.heard + 2 * keepalive));
        loop {
            tokio::select! {
                () = &mut streams_end => return Err(Close::STOPPING.into()),
                end = &mut session_end => return Err(Close::of_session(end).into()),
                () = &mut keepalive_due => {
                    Box::pin(self.ping()).await?;
                    keepalive_due.as_mut().reset(Instant::now() + keepalive);
                }
                () = &mut silence_due => {
                    if self.heard.elapsed() >= 2 * keepalive {
                        Box::pin(self.check_unread()).await?;
                    }
                    silence_due.as_mut().reset(self.heard + 2 * keepalive);
                }
                received = self.connection.socket.receive() => {
                    self.heard = Instant::now();
                    if let Some(text) = received? {
                        Box::pin(self.handle(&text)).await?;
                    }
                }
                (id, progress) = self.operations.next() => Box::pin(self.report(id, progress)).await?,
            }
        }
    }

    /// Handles a message that came while an event was sent and nothing was read. Errors: none has come.
    async fn check_unread(&mut self) -> Result<(), End> {
        let received = self.connection.socket.receive().now_or_never().ok_or(Close::PING_TIMEOUT)?;
        self.heard = Instant::now();
        match received? {
            Some(text) => self.handle(&text).await,
            None => Ok(()),
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        send_in_time(&self.open.session, self.connection.socket.ping()).await
    }

    /// Sends a message that is given in pieces.
    async fn send(&mut self, pieces: Vec<Bytes>) -> Result<(), End> {
        send_in_time(&self.open.session, self.connection.socket.send(pieces)).await
    }

    /// Handles a message of the client.
    async fn handle(&mut self, text: &str) -> Result<(), End> {
        match ClientMessage::parse(text).ok_or(Close::INVALID_MESSAGE)? {
            ClientMessage::ConnectionInit { .. } => Err(Close::TOO_MANY_INITIALIZATIONS.into()),
            ClientMessage::Subscribe { id, .. } if self.operations.contains(&id) => {
                Err(Close::duplicate_id(&id).into())
            }
            ClientMessage::Subscribe { id, payload } => {
                let limit = self.state.streams.settings.operations_per_socket;
                if self.operations.count() < limit {
                    self.operations.begin(id, payload);
                    return Ok(());
                }
                let message =
                    format!("A WebSocket may have at most {limit} open operations. Complete one first.");
                let error = RequestError::later(ErrorCode::RateLimited, &message);
                self.send_error(&id, &[error.into_error(&self.request_id)]).await
            }
            ClientMessage::Complete { id } => {
                self.operations.end(&id);
                Ok(())
            }
            ClientMessage::Ping { payload } => self.send(vec![pong(payload.as_deref()).into()]).await,
            ClientMessage::Pong => Ok(()),
        }
    }

    /// Sends the result of an operation.
    async fn report(&mut self, id: String, progress: Progress) -> Result<(), End> {
        if let Some(end) = self.open.session.end() {
            return Err(Close::of_session(end).into());
        }
        match progress {
            Progress::Refused(error) if error.is_malformed() => Err(Close::INVALID_MESSAGE.into()),
            Progress::Refused(error) => self.send_error(&id, &[error.into_error(&self.request_id)]).await,
            Progress::Executed(execution, _turn) if has_result(&execution) => {
                self.send_next(&id, execution).await?;
                self.send(vec![complete(&id).into()]).await
            }
            Progress::Executed(execution, _turn) => self.fail(&id, &execution.response.errors).await,
            Progress::Event(NextEvent { subscription, event, turn: _turn }) => match event {
                Event::Failed(execution) => self.fail(&id, &execution.response.errors).await,
                Event::Next { execution, .. } => {
                    self.send_next(&id, execution).await?;
                    self.open.count_event();
                    self.operations.resume(id, subscription);
                    Ok(())
                }
            },
        }
    }

    /// Ends an operation with errors, or the connection if the session is not valid any more.
    async fn fail(&mut self, id: &str, errors: &[ServerError]) -> Result<(), End> {
        if errors.first().and_then(code_name) == Some(ErrorCode::Unauthenticated.name()) {
            return Err(Close::INVALID_TOKEN.into());
        }
        self.send_error(id, errors).await
    }

    async fn send_error(&mut self, id: &str, errors: &[ServerError]) -> Result<(), End> {
        let mut text = before_payload(id, "error");
        add_errors(&mut text, errors);
        text.push(b'}');
        self.send(vec![text.into()]).await
    }

    /// Sends a result. Its memory is counted until the network has taken all of it.
    async fn send_next(&mut self, id: &str, execution: Execution) -> Result<(), End> {
        let Execution { response: Response { errors, data, .. }, share, .. } = execution;
        let mut chunks = JsonChunks::new(before_payload(id, "next"));
        add_response(&mut chunks, &errors, data);
        chunks.text().push(b'}');
        let pieces = chunks.finish();
        // A result was counted when it was built. If it is larger than expected it is sent nevertheless.
        let _ = share.settle(pieces.iter().map(Bytes::len).sum());
        self.send(pieces).await
    }
}

/// Whether a query was executed, so that it has a result even if all of its fields have failed. Errors before
/// the execution have no path. UNAUTHENTICATED ends the connection instead.
fn has_result(Execution { disposition, response, .. }: &Execution) -> bool {
    match disposition {
        Disposition::Executed => true,
        Disposition::Rejected(code) => {
            *code != ErrorCode::Unauthenticated && response.errors.iter().all(|error| !error.path.is_empty())
        }
        Disposition::Refused | Disposition::MethodNotAllowed => false,
    }
}

/// Waits until a message has been sent, which may take [`SEND_TIMEOUT`], and [`LAST_EVENT_TIMEOUT`] when the
/// session has ended.
pub async fn send_in_time(
    session: &StreamSession,
    sending: impl Future<Output = Result<(), End>>,
) -> Result<(), End> {
    let session_end = async {
        let end = session.wait_for_end().await;
        sleep(LAST_EVENT_TIMEOUT).await;
        end
    };
    tokio::select! {
        biased;
        sent = timeout(SEND_TIMEOUT, sending) => sent.unwrap_or(Err(End::Gone)),
        end = session_end => Err(End::Unread(Close::of_session(end))),
    }
}
