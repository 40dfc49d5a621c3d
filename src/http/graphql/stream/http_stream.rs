//! HTTP streams: a response that begins with the first event of a subscription and goes on until the
//! subscription, the session, the client or the server ends it.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::ServerError;
use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::sleep;

use crate::api::{Event, StreamSession, Subscription};
use crate::auth::{Credential, Viewer};
use crate::graphql::{Disposition, ErrorCode, Execution, code_name, response_memory_error};
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::response::rejected;
use crate::http::graphql::response_body;
use crate::http::graphql::response_format::ResponseFormat;
use crate::http::graphql::stream::event_body::{EventBody, failure, session_error};
use crate::http::graphql::stream::http_format::HttpFormat;
use crate::http::graphql::stream::open_stream::OpenStream;
use crate::http::graphql::stream::{LAST_EVENT_TIMEOUT, StreamLimit};
use crate::http::request_log::ResponseInfo;
use crate::http::server::HttpStream;
use crate::http::shared::Shared;

/// Tells proxies not to buffer events.
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
        let mut response = match refusal(&errors) {
            Some(code) => rejected(code, errors, json, credential),
            None => json.refuse(json.document_status(), errors),
        };
        let operation = Some(subscription.summary().clone());
        response.extensions_mut().insert(ResponseInfo { code, operation, viewer: None });
        response
    };
    if shared.readiness.is_stopping() {
        return Err(RequestError::stopping());
    }
    let session = match shared.api.open_stream(credential, subscription.client(), request_id).await {
        Ok(session) => session,
        Err(refused) => return Ok(refuse(refused.errors, &subscription)),
    };
    let open = OpenStream::open(shared, session, format.name(), request_id).map_err(limit_reached)?;
    let first = Box::pin(subscription.read_first()).await;
    // The server or the session may have ended while the first event was read.
    if shared.readiness.is_stopping() {
        return Err(RequestError::stopping());
    }
    if let Some(end) = open.session.end() {
        return Ok(refuse(vec![session_error(end, request_id)], &subscription));
    }
    match first {
        Event::Failed(execution) if !is_reported_in_stream(&execution, format) => {
            Ok(refuse(execution.response.errors, &subscription))
        }
        first => {
            let cut = HttpStream::cut_after(after_last_event(open.session.clone()));
            let mut stream = EventBody::new(shared, open, format, request_id);
            stream.begin(subscription, first).await;
            Ok((head(format), Extension(cut), stream.into_body()).into_response())
        }
    }
}

/// Waits until the session has ended, and then as long as the event that is being sent may take.
async fn after_last_event(session: Arc<StreamSession>) {
    session.wait_for_end().await;
    sleep(LAST_EVENT_TIMEOUT).await;
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

/// The code whose HTTP status reports these errors in place of a stream. None: the stream reports them.
fn refusal(errors: &[ServerError]) -> Option<ErrorCode> {
    let code = errors.first().and_then(code_name);
    [
        (ErrorCode::Unauthenticated, ErrorCode::Unauthenticated),
        (ErrorCode::RateLimited, ErrorCode::RateLimited),
        (ErrorCode::ServiceUnavailable, ErrorCode::ServiceUnavailable),
        (ErrorCode::Timeout, ErrorCode::ServiceUnavailable),
    ]
    .into_iter()
    .find_map(|(reported, refused)| (code == Some(reported.name())).then_some(refused))
}

/// Whether an event stream reports the result of an operation in an event.
pub fn is_result(execution: &Execution) -> bool {
    match execution.disposition {
        Disposition::Executed | Disposition::Refused => true,
        Disposition::Rejected(_) => refusal(&execution.response.errors).is_none(),
        Disposition::MethodNotAllowed => false,
    }
}

/// Whether the stream itself reports a failure at the first event. Otherwise an HTTP status reports it or, for a
/// client of multipart streams, a JSON response.
fn is_reported_in_stream(execution: &Execution, format: HttpFormat) -> bool {
    let errors = &execution.response.errors;
    let is_bad_input = errors.first().and_then(code_name) == Some(ErrorCode::BadUserInput.name());
    let is_fault = execution.disposition == Disposition::Refused || is_bad_input;
    refusal(errors).is_none() && !(format == HttpFormat::Multipart && is_fault)
}

fn limit_reached(limit: StreamLimit) -> RequestError {
    match limit {
        StreamLimit::Total => RequestError::too_many_streams(),
        StreamLimit::OfUser => {
            let message = "You have too many streams open. Close one, or try again later.";
            RequestError::later(ErrorCode::RateLimited, message)
        }
    }
}

fn head(format: HttpFormat) -> [(HeaderName, HeaderValue); 3] {
    [
        (header::CONTENT_TYPE, format.content_type()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (UNBUFFERED, HeaderValue::from_static("no")),
    ]
}
