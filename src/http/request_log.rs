//! The middleware of every request: its id, its log line and metrics, and the headers of every response.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{Extensions, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use crate::auth::Viewer;
use crate::graphql::OperationSummary;
use crate::http::metrics::{GaugeGuard, Metrics};
use crate::http::server::HttpStream;
use crate::http::shared::GRAPHQL_PATH;

/// The header with the request id, in requests and responses.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request in the log and in errors.
#[derive(Clone, Debug, Default)]
pub struct RequestId(pub String);

impl RequestId {
    /// The id of a request that is being observed; empty for others.
    pub fn in_extensions(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// The id that the client sent if it has 1 to 128 letters, digits, `.`, `_` or `-`, and otherwise a new
    /// one.
    fn of(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let harmless = |id: &&str| {
            (1..=128).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        };
        Self(sent.filter(harmless).map_or_else(|| Uuid::new_v4().to_string(), str::to_owned))
    }
}

/// What a handler reports about its response to the log and the metrics, as an extension of the response.
#[derive(Clone, Debug, Default)]
pub struct ResponseInfo {
    pub code: Option<&'static str>,
    pub operation: Option<OperationSummary>,
    /// The signed-in user, if the operation needed one.
    pub viewer: Option<Viewer>,
}

/// Logs and counts a request, gives it an id, and adds the headers of every response.
pub async fn observe<F: Future<Output = Response>>(
    metrics: &Metrics,
    mut request: Request,
    respond: impl FnOnce(Request) -> F,
) -> Response {
    let _in_flight = GaugeGuard::new(&metrics.requests);
    let mut line = AccessLogLine::begin(&request);
    request.extensions_mut().insert(line.id.clone());

    let mut response = respond(request).await;

    let info = response.extensions_mut().remove::<ResponseInfo>();
    // The playground has the same path but no ResponseInfo, so it is not counted as a GraphQL request.
    if let Some(ResponseInfo { code, operation, .. }) = &info
        && line.path.trim_end_matches('/') == GRAPHQL_PATH
    {
        let operation_type = operation.as_ref().and_then(|operation| operation.ty);
        metrics.record_response(operation_type, *code, line.started.elapsed());
    }
    line.info = info.unwrap_or_default();
    line.is_stream = response.status() == StatusCode::SWITCHING_PROTOCOLS
        || response.extensions().get::<HttpStream>().is_some();
    line.status = Some(response.status());
    let headers = response.headers_mut();
    let id = HeaderValue::from_str(&line.id.0).unwrap_or(HeaderValue::from_static("invalid"));
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A longer path is truncated in the log.
const MAX_LOGGED_PATH_CHARS: usize = 200;

/// The log line of a request. It is written when dropped, so that a request whose client disconnects before
/// the response is logged too, without a status.
struct AccessLogLine {
    id: RequestId,
    method: Method,
    path: String,
    started: Instant,
    status: Option<StatusCode>,
    info: ResponseInfo,
    /// Whether a stream has begun, which has its own line when it ends.
    is_stream: bool,
}

impl AccessLogLine {
    fn begin(request: &Request) -> Self {
        Self {
            id: RequestId::of(request),
            method: request.method().clone(),
            path: request.uri().path().chars().take(MAX_LOGGED_PATH_CHARS).collect(),
            started: Instant::now(),
            status: None,
            info: ResponseInfo::default(),
            is_stream: false,
        }
    }
}

impl Drop for AccessLogLine {
    fn drop(&mut self) {
        if self.is_stream {
            return;
        }
        let operation = self.info.operation.take().unwrap_or_default();
        let viewer = self.info.viewer.as_ref();
        tracing::info!(
            request_id = self.id.0,
            method = %self.method,
            path = self.path,
            status = self.status.map(|status| status.as_u16()),
            code = self.info.code,
            operation = operation.name,
            operation_type = operation.ty,
            document = operation.document,
            user_id = viewer.map(Viewer::user_id).map(tracing::field::display),
            session_id = viewer.and_then(Viewer::session_id).map(tracing::field::display),
            api_key_id = viewer.and_then(Viewer::api_key_id).map(tracing::field::display),
            duration_ms = self.started.elapsed().as_secs_f64() * 1e3,
            "request"
        );
    }
}
