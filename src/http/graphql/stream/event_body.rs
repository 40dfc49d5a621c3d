//! The body of an HTTP stream: its events, keepalives and its end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::ServerError;
use axum::body::{Body, Bytes};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream;
use tokio::time::{Instant, sleep_until};

use crate::api::{Event, SessionEnd, Subscription};
use crate::graphql::{ErrorCode, Execution, request_error};
use crate::http::graphql::response_body;
use crate::http::graphql::stream::http_format::HttpFormat;
use crate::http::graphql::stream::open_stream::OpenStream;
use crate::http::graphql::stream::turns::{NextEvent, Turn, Turns, next_event};
use crate::http::shared::Shared;

/// The body of an HTTP stream.
pub struct EventBody {
    shared: Arc<Shared>,
    open: OpenStream,
    format: HttpFormat,
    request_id: String,
    turns: Turns,
    /// None once the subscription has ended.
    next: Option<BoxFuture<'static, NextEvent>>,
    /// What comes before the next event: nothing, unless it is the first one.
    beginning: &'static [u8],
    /// What has been written and not been passed on.
    pieces: VecDeque<Bytes>,
    silent_since: Instant,
}

impl EventBody {
    pub fn new(shared: &Arc<Shared>, open: OpenStream, format: HttpFormat, request_id: &str) -> Self {
        Self {
            shared: shared.clone(),
            open,
            format,
            request_id: request_id.to_owned(),
            turns: Turns::new(),
            next: None,
            beginning: format.beginning(),
            pieces: VecDeque::new(),
            silent_since: Instant::now(),
        }
    }

    /// Begins with the first event of a subscription.
    pub async fn begin(&mut self, subscription: Box<Subscription>, first: Event) {
        self.open.begin(subscription.summary().clone());
        let turn = self.turns.take().await;
        self.report(NextEvent { subscription, event: first, turn });
    }

    pub fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut stream| async move {
            let piece = stream.next_piece().await?;
            Some((Ok::<_, Infallible>(piece), stream))
        }))
    }

    /// What is sent next; None at the end.
    async fn next_piece(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                self.silent_since = Instant::now();
                return Some(piece);
            }
            let next = self.next.as_mut()?;
            tokio::select! {
                () = self.shared.readiness.streams_end() => {
                    self.open.set_close("cut");
                    return None;
                }
                end = self.open.session.wait_for_end() => self.end(end),
                () = sleep_until(self.silent_since + self.shared.streams.settings.keepalive) => {
                    self.pieces.push_back(Bytes::from_static(self.format.keepalive()));
                }
                next = next => match self.open.session.end() {
                    Some(end) => self.end(end),
                    None => self.report(next),
                },
            }
        }
    }

    fn report(&mut self, NextEvent { subscription, event, turn }: NextEvent) {
        match event {
            Event::Failed(execution) => self.fail(&execution.response.errors),
            Event::Next { execution, cursor } => {
                self.add_event(execution, &cursor, turn);
                self.next = Some(next_event(subscription, self.turns.clone()).boxed());
            }
        }
    }

    /// Adds an event. The turn ends when the network has taken it.
    fn add_event(&mut self, execution: Execution, cursor: &str, turn: Turn) {
        let Execution { response, share, .. } = execution;
        let text = std::mem::take(&mut self.beginning).to_vec();
        let mut pieces = self.format.next(text, response, Some(cursor)).finish();
        // An event was counted when it was read. If it is larger than expected it is sent nevertheless, since
        // it is not read again.
        let _ = response_body::count(&mut pieces, &share);
        if let Some(last) = pieces.last_mut() {
            *last = Bytes::from_owner(LastPiece { bytes: std::mem::take(last), _turn: turn });
        }
        self.open.count_event();
        self.pieces.extend(pieces);
    }

    /// Ends the stream with errors.
    fn fail(&mut self, errors: &[ServerError]) {
        let text = std::mem::take(&mut self.beginning).to_vec();
        self.pieces.push_back(failure(self.format, text, errors));
        self.open.set_close("complete");
        self.next = None;
    }

    /// Ends the stream with its session. After the expiry of the token the client sends its request again, so
    /// it must not see a complete stream.
    fn end(&mut self, end: SessionEnd) {
        match end {
            SessionEnd::Expired => {
                self.open.set_close("cut");
                self.next = None;
            }
            SessionEnd::Ended => self.fail(&[session_error(end, &self.request_id)]),
        }
    }
}

/// Errors and the end, after the text that comes before them.
pub fn failure(format: HttpFormat, mut text: Vec<u8>, errors: &[ServerError]) -> Bytes {
    format.failure(&mut text, errors);
    text.extend_from_slice(format.end());
    text.into()
}

/// The error of a session that has ended.
pub fn session_error(end: SessionEnd, request_id: &str) -> ServerError {
    let message = match end {
        SessionEnd::Expired => "Token has expired",
        SessionEnd::Ended => "Invalid token",
    };
    let mut error = request_error(ErrorCode::Unauthenticated, message);
    error.extensions.get_or_insert_default().set("requestId", request_id);
    error
}

/// The last piece of an event.
struct LastPiece {
    bytes: Bytes,
    _turn: Turn,
}

impl AsRef<[u8]> for LastPiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
