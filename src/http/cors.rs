//! Cross-origin requests: which pages of other origins may call the API.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::http::graphql::LAST_EVENT_ID;
use crate::http::request_log;

/// How long a browser may cache the result of a CORS preflight: the maximum that Chromium accepts.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(7200);

/// The layer that adds the CORS headers for the listed origins. Credentials are not allowed: scripts add the
/// token themselves.
pub fn allow(origins: &[String]) -> CorsLayer {
    const ALLOWED: [HeaderName; 13] = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::ACCEPT,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        LAST_EVENT_ID,
        HeaderName::from_static("apollo-require-preflight"),
        HeaderName::from_static("x-apollo-operation-name"),
        HeaderName::from_static("x-apollo-operation-id"),
        HeaderName::from_static("apollographql-client-name"),
        HeaderName::from_static("apollographql-client-version"),
        HeaderName::from_static("traceparent"),
        HeaderName::from_static("tracestate"),
    ];
    let origin = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers(ALLOWED)
        .expose_headers([request_log::REQUEST_ID, header::RETRY_AFTER, header::ETAG, header::LOCATION])
        .max_age(PREFLIGHT_MAX_AGE)
}
