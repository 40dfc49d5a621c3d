//! HTTP streams: a response that begins with the first event of a subscription and goes on until the
//! subscription, the session, the client or the server ends it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::ServerError;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::stream;
use tokio::time::{Instant, sleep_until};

use crate::api::{Event, SessionEnd, Subscription};
use crate::auth::{Credential, Viewer};
use crate::graphql::{Disposition, ErrorCode, Execution, code_name, request_error, response_memory_error};
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::response::rejected;
use crate::http::graphql::response_body;
use crate::http::graphql::response_format::ResponseFormat;
use crate::http::graphql::stream::http_format::HttpFormat;
use crate::http::graphql::stream::open_stream::OpenStream;
use crate::http::graphql::stream::turns::{NextEvent, Turn, Turns, next_event};
use crate::http::graphql::stream::{RETRY_AFTER_SECONDS, StreamLimit};
use crate::http::request_log::ResponseInfo;
use crate::http::server::HttpStream;
use crate::http::shared::Shared;

/// Tells proxies not to collect events before they pass them on.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How the client of a subscription is answered.
pub struct HttpTransport<'a> {
    pub format: HttpFormat,
    /// The format of a refusal.
    pub json: ResponseFormat,
    pub credential: &'a Credential,
    pub request_id: &'a str,
}

/// The response to a subscription: a stream, or a refusal with the status that HTTP has for it.
pub async fn respond(
    shared: &Arc<Shared>,
    mut subscription: Box<Subscription>,
    transport: HttpTransport<'_>,
) -> Result<Response, RequestError> {
    let HttpTransport { format, json, credential, request_id } = transport;
    let refuse = |errors: Vec<ServerError>, subscription: &Subscription| {
        let code = errors.first().and_then(code_name);
        let rejection = [ErrorCode::Unauthenticated, ErrorCode::RateLimited, ErrorCode::ServiceUnavailable];
        let mut response = match rejection.into_iter().find(|rejection| code == Some(rejection.name())) {
            Some(code) => rejected(code, errors, json, credential),
            None if code == Some(ErrorCode::Timeout.name()) => {
                json.refuse(StatusCode::SERVICE_UNAVAILABLE, errors)
            }
            None => json.refuse(json.document_status(), errors),
        };
        let operation = Some(subscription.summary().clone());
        response.extensions_mut().insert(ResponseInfo { code, operation, viewer: None });
        response
    };
    if shared.readiness.is_stopping() {
        return Err(unavailable("The server is stopping. Connect again."));
    }
    let session = match shared.api.open_stream(credential).await {
        Ok(session) => session,
        Err(refused) => {
            let mut error = refused.error;
            error.extensions.get_or_insert_default().set("requestId", request_id);
            return Ok(refuse(vec![error], &subscription));
        }
    };
    let open = OpenStream::open(shared, session, format.name(), request_id).map_err(limit_reached)?;
    let first = Box::pin(subscription.read_first()).await;
    if let Some(end) = open.session.end() {
        return Ok(refuse(vec![session_error(end, request_id)], &subscription));
    }
    let mut stream = EventBody::new(shared, open, format, request_id);
    match first {
        Event::Failed(execution) if !stream.takes(&execution) => {
            return Ok(refuse(execution.response.errors, &subscription));
        }
        Event::Failed(execution) => {
            stream.open.begin(subscription.summary().clone());
            stream.fail(&execution.response.errors);
        }
        Event::Next { execution, cursor } => {
            stream.open.begin(subscription.summary().clone());
            let turn = stream.turns.take().await;
            stream.add_event(execution, &cursor, turn);
            stream.next = Some(next_event(subscription, stream.turns.clone()));
        }
    }
    let mut response = (head(format), stream.into_body()).into_response();
    response.extensions_mut().insert(HttpStream);
    Ok(response)
}

/// The response to a query or a refused operation of a client that accepts only an event stream.
pub fn respond_with_result(execution: Execution, viewer: Option<Viewer>) -> Response {
    let format = HttpFormat::EventStream;
    let Execution { response, disposition, summary, share } = execution;
    let code = response.errors.first().and_then(code_name);
    let mut pieces = if disposition == Disposition::Executed {
        let mut chunks = format.next(Vec::new(), response, None);
        chunks.text().extend_from_slice(format.end());
        chunks.finish()
    } else {
        vec![failure(format, Vec::new(), &response.errors)]
    };
    if response_body::count(&mut pieces, &share).is_none() {
        pieces = vec![failure(format, Vec::new(), &[response_memory_error()])];
    }
    let body = Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)));
    let mut response = (head(format), body).into_response();
    response.extensions_mut().insert(ResponseInfo { code, operation: Some(summary), viewer });
    response
}

/// The response to a request of a client that accepts only an event stream, whose document was not read.
pub fn respond_with_error(error: ServerError) -> Response {
    let format = HttpFormat::EventStream;
    let info = ResponseInfo { code: code_name(&error), ..ResponseInfo::default() };
    let body = Body::from(failure(format, Vec::new(), &[error]));
    (head(format), Extension(info), body).into_response()
}

/// Errors and the end, after the text that comes before them.
fn failure(format: HttpFormat, mut text: Vec<u8>, errors: &[ServerError]) -> Bytes {
    format.failure(&mut text, errors);
    text.extend_from_slice(format.end());
    text.into()
}

/// Whether HTTP has no status for what happened to an operation, so that an event stream tells it in an event.
pub fn is_result(disposition: Disposition) -> bool {
    match disposition {
        Disposition::Executed | Disposition::Refused => true,
        Disposition::Rejected(code) => code.status() == StatusCode::OK.as_u16(),
        Disposition::MethodNotAllowed => false,
    }
}

fn limit_reached(limit: StreamLimit) -> RequestError {
    match limit {
        StreamLimit::Total => {
            unavailable("The server has too many streams at the moment. Try again shortly.")
        }
        StreamLimit::OfUser => {
            let message = "You have too many streams open. Close one, or try again later.";
            RequestError::later(ErrorCode::RateLimited, message, RETRY_AFTER_SECONDS)
        }
    }
}

/// The error of a stream that cannot begin at the moment.
pub fn unavailable(message: &str) -> RequestError {
    RequestError::later(ErrorCode::ServiceUnavailable, message, RETRY_AFTER_SECONDS)
}

fn head(format: HttpFormat) -> [(HeaderName, HeaderValue); 3] {
    [
        (header::CONTENT_TYPE, format.content_type()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (UNBUFFERED, HeaderValue::from_static("no")),
    ]
}

/// The error of a session that has ended.
fn session_error(end: SessionEnd, request_id: &str) -> ServerError {
    let message = match end {
        SessionEnd::Expired => "Token has expired",
        SessionEnd::Ended => "Invalid token",
    };
    let mut error = request_error(ErrorCode::Unauthenticated, message);
    error.extensions.get_or_insert_default().set("requestId", request_id);
    error
}

/// The body of an HTTP stream.
struct EventBody {
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
    fn new(shared: &Arc<Shared>, open: OpenStream, format: HttpFormat, request_id: &str) -> Self {
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

    /// Whether a failure at the first event is told in the stream, and not with a status of HTTP or, in place
    /// of a multipart stream, as JSON.
    fn takes(&self, execution: &Execution) -> bool {
        let code = execution.response.errors.first().and_then(code_name);
        let is_code = |of: ErrorCode| code == Some(of.name());
        let has_status = [
            ErrorCode::Unauthenticated,
            ErrorCode::RateLimited,
            ErrorCode::ServiceUnavailable,
            ErrorCode::Timeout,
        ];
        let is_fault = execution.disposition == Disposition::Refused || is_code(ErrorCode::BadUserInput);
        let is_answered_as_json = self.format == HttpFormat::Multipart && is_fault;
        !has_status.into_iter().any(is_code) && !is_answered_as_json
    }

    fn into_body(self) -> Body {
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
                NextEvent { subscription, event, turn } = next => match (self.open.session.end(), event) {
                    (Some(end), _) => self.end(end),
                    (None, Event::Failed(execution)) => self.fail(&execution.response.errors),
                    (None, Event::Next { execution, cursor }) => {
                        self.add_event(execution, &cursor, turn);
                        self.next = Some(next_event(subscription, self.turns.clone()));
                    }
                },
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
