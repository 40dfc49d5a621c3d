//! What every request gets: an id, one log line, and the headers that no response goes without.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::auth::Viewer;
use crate::graphql::OperationSummary;
use crate::http::metrics::{GaugeGuard, Metrics};

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

/// What a handler tells the log and the metrics about its response.
#[derive(Clone, Debug, Default)]
pub struct ResponseInfo {
    pub code: Option<&'static str>,
    pub operation: Option<OperationSummary>,
    /// The signed-in user, if the operation needed one.
    pub viewer: Option<Viewer>,
}

/// Wraps every request.
pub async fn observe(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let _in_flight = GaugeGuard::new(&metrics.requests);
    let mut line = AccessLogLine::begin(&request);
    request.extensions_mut().insert(line.id.clone());

    let mut response = next.run(request).await;

    let observed = response.extensions_mut().remove::<ResponseInfo>();
    // The playground is at the same path, and has nothing to tell.
    if let Some(ResponseInfo { code, operation, .. }) = &observed
        && line.path.trim_end_matches('/') == super::GRAPHQL
    {
        let operation_type = operation.as_ref().and_then(|operation| operation.ty);
        metrics.record_response(operation_type, *code, line.started.elapsed());
    }
    line.observed = observed.unwrap_or_default();
    line.status = Some(response.status());
    let headers = response.headers_mut();
    let id = HeaderValue::from_str(&line.id.0).unwrap_or(HeaderValue::from_static("invalid"));
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Characters of a path in the log.
const MAX_LOGGED_PATH_CHARS: usize = 200;

/// The line of a request in the log. It is written when it goes, so that a request whose client leaves
/// before the answer has one as well, without a status.
struct AccessLogLine {
    id: RequestId,
    method: Method,
    path: String,
    started: Instant,
    status: Option<StatusCode>,
    observed: ResponseInfo,
}

impl AccessLogLine {
    fn begin(request: &Request) -> Self {
        Self {
            id: RequestId::of(request),
            method: request.method().clone(),
            path: request.uri().path().chars().take(MAX_LOGGED_PATH_CHARS).collect(),
            started: Instant::now(),
            status: None,
            observed: ResponseInfo::default(),
        }
    }
}

impl Drop for AccessLogLine {
    fn drop(&mut self) {
        let operation = self.observed.operation.take().unwrap_or_default();
        let viewer = self.observed.viewer.as_ref();
        tracing::info!(
            request_id = self.id.0,
            method = %self.method,
            path = self.path,
            status = self.status.map(|status| status.as_u16()),
            code = self.observed.code,
            operation = operation.name,
            operation_type = operation.ty,
            document = operation.document,
            user_id = viewer.map(Viewer::user_id).map(tracing::field::display),
            session_id = viewer.map(Viewer::session_id).map(tracing::field::display),
            duration_ms = self.started.elapsed().as_secs_f64() * 1e3,
            "request"
        );
    }
}
