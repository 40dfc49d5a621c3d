//! The endpoint for GraphQL over HTTP, as the specification (drafts of 2025 and later) and the audits of
//! graphql-http define it. The handler of async-graphql-axum is not used: it executes mutations over GET, and
//! does not limit bodies.

mod accept;
mod json;
pub mod request;
pub mod request_body;
pub mod request_error;
pub mod response;
pub mod response_body;
pub mod response_format;
pub mod stream;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::Response;

use crate::api::Started;
use crate::graphql::{Disposition, Execution, MutationPolicy};
use crate::http::client_ip::{Peer, client};
use crate::http::graphql::accept::Accept;
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::response_format::{ResponseFormat, name_content_codings, not_stored};
use crate::http::graphql::stream::http_format::HttpFormat;
use crate::http::graphql::stream::http_stream::{self, HttpTransport};
use crate::http::graphql::stream::websocket;
use crate::http::playground;
use crate::http::request_log::RequestId;
use crate::http::shared::Shared;

/// The header with the cursor of the last event that a client has.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Handles a request to /graphql, of any method.
pub async fn handle(state: &Arc<Shared>, RequestId(request_id): &RequestId, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::GET && websocket::is_handshake(&parts.headers) {
        let response = websocket::accept(state, &mut parts, request_id);
        return not_stored(response.unwrap_or_else(|error| error.respond(ResponseFormat::Json, request_id)));
    }
    let accept = Accept::of(&parts.headers);
    if is_safe(&parts.method) && state.playground && prefers_html(&accept) {
        return playground::page();
    }
    let accepted =
        Accepted { json: ResponseFormat::negotiate(&accept), stream: HttpFormat::negotiate(&accept) };
    let response = if accepted.json.is_none() && accepted.stream.is_none() {
        Err(not_acceptable(
            "The server can send only application/graphql-response+json, application/json, \
                            text/event-stream and multipart/mixed;subscriptionSpec=1.0.",
        ))
    } else {
        execute(state, &parts, body, accepted, request_id).await
    };
    let mut response = response.unwrap_or_else(|error| accepted.refuse(error, request_id));
    name_content_codings(&mut response, &parts.headers);
    not_stored(response)
}

/// What a client accepts.
#[derive(Clone, Copy)]
struct Accepted {
    /// None: no JSON.
    json: Option<ResponseFormat>,
    /// None: no stream.
    stream: Option<HttpFormat>,
}

impl Accepted {
    /// Whether the result of an operation of this type is an event stream. None: the type is not known.
    fn is_event_stream_for(self, operation_type: Option<&str>) -> bool {
        let is_accepted = self.stream == Some(HttpFormat::EventStream);
        is_accepted && (self.json.is_none() || operation_type == Some("subscription"))
    }

    /// The format of errors.
    fn json(self) -> ResponseFormat {
        self.json.unwrap_or(ResponseFormat::Json)
    }

    fn refuse(self, error: RequestError, request_id: &str) -> Response {
        if self.is_event_stream_for(None) && error.is_fault() {
            http_stream::respond_with_error(error.into_error(request_id))
        } else {
            error.respond(self.json(), request_id)
        }
    }
}

fn not_acceptable(message: &str) -> RequestError {
    RequestError::http(StatusCode::NOT_ACCEPTABLE, message)
}

/// Reads a request, executes its operation and responds.
async fn execute(
    state: &Arc<Shared>,
    parts: &Parts,
    body: Body,
    accepted: Accepted,
    request_id: &str,
) -> Result<Response, RequestError> {
    let client = client(parts.extensions.get::<Peer>().copied(), &parts.headers, &state.trusted_proxies);
    // The permit counts the memory of the variables until the response has been built.
    let (mut request, _permit) = match parts.method {
        Method::GET | Method::HEAD => (request::from_query(parts.uri.query().unwrap_or_default())?, None),
        Method::POST => request::from_body(state, &parts.headers, body, client.counted_address()).await?,
        _ => return Err(RequestError::http(StatusCode::METHOD_NOT_ALLOWED, "Use GET or POST.")),
    };
    // A client that accepts only a stream may send its request again after a lost connection.
    request.mutations = match accepted.json {
        None => MutationPolicy::Refused,
        Some(_) if is_safe(&parts.method) => MutationPolicy::NeedPost,
        Some(_) => MutationPolicy::Allowed,
    };
    request_id.clone_into(&mut request.request_id);
    if accepted.stream.is_some() {
        let cursor = parts.headers.get(LAST_EVENT_ID);
        request.last_event_id = cursor.map(|cursor| String::from_utf8_lossy(cursor.as_bytes()).into_owned());
    }
    let credential = request::credential(&parts.headers)?;
    let started = state.api.start(request, credential.clone(), client).await;
    match (started, accepted) {
        (Started::Subscribed(subscription), Accepted { stream: Some(format), .. }) => {
            let transport =
                HttpTransport { format, json: accepted.json(), credential: &credential, request_id };
            Box::pin(http_stream::respond(state, subscription, transport)).await
        }
        (Started::Subscribed(_), _) => Err(not_acceptable(
            "A subscription needs `Accept: text/event-stream` or `multipart/mixed;subscriptionSpec=1.0`, \
             or a WebSocket.",
        )),
        (Started::Executed(execution, viewer), _)
            if accepted.is_event_stream_for(execution.summary.ty) && http_stream::is_result(&execution) =>
        {
            Ok(http_stream::respond_with_result(execution, viewer))
        }
        (
            Started::Executed(Execution { disposition: Disposition::Executed, .. }, _),
            Accepted { json: None, stream: Some(HttpFormat::Multipart) },
        ) => Err(not_acceptable("A query needs `Accept: application/json` or `text/event-stream`.")),
        (Started::Executed(execution, viewer), _) => {
            Ok(response::respond(execution, viewer, accepted.json(), &credential, request_id))
        }
    }
}

/// Whether a method that this path supports is safe (RFC 9110, 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn prefers_html(accept: &Accept) -> bool {
    let html = accept.exact("text/html").unwrap_or(0.0);
    html > 0.0 && ResponseFormat::NAMES.iter().all(|name| accept.weight(name) < html)
}
