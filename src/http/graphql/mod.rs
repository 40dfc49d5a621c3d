//! The endpoint for GraphQL over HTTP, as the specification (drafts of 2025 and later) and the audits of
//! graphql-http define it. The handler of async-graphql-axum is not used: it executes mutations over GET, and
//! does not limit bodies.

mod accept;
mod request;
pub mod request_body;
mod request_error;
mod response;
mod response_body;
pub mod response_format;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::api::Started;
use crate::graphql::MutationPolicy;
use crate::http::client_ip::{Peer, client};
use crate::http::graphql::accept::Accept;
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::response_format::{ResponseFormat, is_uncoded};
use crate::http::playground;
use crate::http::request_log::RequestId;
use crate::http::shared::Shared;

/// Handles a request to /graphql, of any method.
pub async fn handle(state: &Shared, RequestId(request_id): &RequestId, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let accept = Accept::of(&parts.headers);
    if is_safe(&parts.method) && state.playground && prefers_html(&accept) {
        return playground::page();
    }
    let format = ResponseFormat::negotiate(&accept);
    let response = match format {
        Some(format) => execute(state, &parts, body, format, request_id).await,
        None => {
            let message = "The server can send only application/graphql-response+json and application/json.";
            Err(RequestError::http(StatusCode::NOT_ACCEPTABLE, message))
        }
    };
    let format = format.unwrap_or(ResponseFormat::Json);
    let mut response = response.unwrap_or_else(|error| error.respond(format, request_id));
    // The header tells the client that the content coding is refused, not the media type (RFC 9110, 12.5.3).
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && !is_uncoded(&parts.headers) {
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    // The response depends on the user, so no cache may keep it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Reads a request, executes its operation and responds.
async fn execute(
    state: &Shared,
    parts: &Parts,
    body: axum::body::Body,
    format: ResponseFormat,
    request_id: &str,
) -> Result<Response, RequestError> {
    let client = client(parts.extensions.get::<Peer>().copied(), &parts.headers, &state.trusted_proxies);
    // The permit counts the memory of the variables until the response has been built.
    let (mut request, _permit) = match parts.method {
        Method::GET | Method::HEAD => (request::from_query(parts.uri.query().unwrap_or_default())?, None),
        Method::POST => request::from_body(state, &parts.headers, body, client.counted_address()).await?,
        _ => return Err(RequestError::http(StatusCode::METHOD_NOT_ALLOWED, "Use GET or POST.")),
    };
    request.mutations =
        if is_safe(&parts.method) { MutationPolicy::NeedPost } else { MutationPolicy::Allowed };
    request_id.clone_into(&mut request.request_id);
    let credential = request::credential(&parts.headers)?;
    match state.api.start(request, credential.clone(), client).await {
        Started::Executed(execution, viewer) => {
            Ok(response::respond(execution, viewer, format, &credential, request_id))
        }
        Started::Subscribed(_) => {
            let message = "A subscription needs a stream: text/event-stream, or multipart/mixed with \
                           subscriptionSpec=1.0.";
            Err(RequestError::http(StatusCode::NOT_ACCEPTABLE, message))
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
