//! What every request gets: an id, one log line, and the headers that no response goes without.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::graphql::OperationSummary;

/// The header that carries a request's id, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which a request stands in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    /// The id that the client sent, if it is harmless, or else a new one.
    fn of(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let harmless = |id: &&str| {
            (1..=128).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        };
        Self(sent.filter(harmless).map_or_else(|| Uuid::new_v4().to_string(), str::to_owned))
    }
}

/// What a handler tells the log about its response.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub code: Option<String>,
    pub operation: Option<OperationSummary>,
}

/// Wraps every request.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(&request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(id.clone());

    let mut response = next.run(request).await;

    let observed = response.extensions_mut().remove::<Observed>().unwrap_or_default();
    let operation = observed.operation.unwrap_or_default();
    tracing::info!(
        request_id = id.0,
        method = %method,
        path,
        status = response.status().as_u16(),
        code = observed.code,
        operation = operation.name,
        operation_type = operation.ty,
        document = operation.document,
        user_id = operation.user_id.map(tracing::field::display),
        session_id = operation.session_id.map(tracing::field::display),
        duration_ms = started.elapsed().as_secs_f64() * 1e3,
        "request"
    );
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id.0).unwrap_or(HeaderValue::from_static("invalid")));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
