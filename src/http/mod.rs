//! HTTP: the routes, and the middleware of all of them. Only this layer uses axum. GraphQL over HTTP, health,
//! the playground and the server that accepts connections are in modules of their own.

mod client_ip;
mod graphql;
mod health;
mod metrics;
mod playground;
mod readiness;
mod request_log;
mod server;
mod shared;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::ServerError;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use axum::{Extension, Router, extract};
use futures_util::FutureExt;
use ipnet::IpNet;
use tower_http::cors::{AllowOrigin, CorsLayer};

pub use metrics::Metrics;
pub use readiness::Readiness;
pub use server::{ConnectionLimits, Server, listen, serve_metrics};

use crate::api::Api;
use crate::graphql::{ErrorCode, panic_error, request_error};
use crate::http::graphql::request_body::BodyMemory;
use crate::http::graphql::response_format::ResponseFormat;
use crate::http::request_log::RequestId;
use crate::http::server::Malformed;
use crate::http::shared::{GRAPHQL_PATH, Shared};

/// How long a browser may cache the result of a CORS preflight: the maximum that Chromium accepts.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(7200);

/// The options of the HTTP layer.
pub struct HttpSettings {
    /// Whether the playground is served.
    pub playground: bool,
    /// The origins whose pages may call the API; "*" allows every origin.
    pub cors_origins: Vec<String>,
    /// The networks of proxies whose X-Forwarded-For is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

/// The router of all paths except /metrics, which has its own listener.
pub fn router(api: Api, readiness: Readiness, metrics: Metrics, settings: HttpSettings) -> Router {
    let HttpSettings { playground, cors_origins, trusted_proxies } = settings;
    let bodies = BodyMemory::default();
    let state = Arc::new(Shared { api, readiness, playground, trusted_proxies, bodies });
    let mut router = Router::new()
        // The redirect is relative, since a proxy may serve the instance under another path.
        .route("/", get(|| async { Redirect::temporary("graphql") }))
        .route(GRAPHQL_PATH, any(graphql::handle))
        .route("/graphql/", any(handle_with_slash))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz));
    if playground {
        router = router.merge(playground::assets());
    }
    let router = router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).with_state(state);
    let mut router = router.layer(from_fn(reject_malformed_and_catch_panics));
    if !cors_origins.is_empty() {
        router = router.layer(cors(&cors_origins));
    }
    router.layer(from_fn_with_state(metrics, request_log::observe))
}

/// The CORS headers for the listed origins. Credentials are not allowed: scripts add the token themselves.
fn cors(origins: &[String]) -> CorsLayer {
    const ALLOWED: [HeaderName; 10] = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::ACCEPT,
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
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(ALLOWED)
        .expose_headers([request_log::REQUEST_ID, header::RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE)
}

/// Handles /graphql/ like /graphql. The URLs in the playground are relative to the path without the slash, so
/// a request for the playground is redirected.
async fn handle_with_slash(
    state: extract::State<Arc<Shared>>,
    id: Extension<RequestId>,
    request: Request,
) -> Response {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let response = graphql::handle(state, id, request).await;
    if playground::is_page(&response) {
        Redirect::temporary(&format!("../graphql{query}")).into_response()
    } else {
        response
    }
}

/// Refuses malformed requests, and responds with an error when a handler panics. The message of the panic is
/// not sent, since it can contain text of the request.
async fn reject_malformed_and_catch_panics(
    id: Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(Malformed(reason)) = request.extensions().get() {
        return error_response(StatusCode::BAD_REQUEST, request_error(ErrorCode::BadRequest, *reason), id);
    }
    let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    response.unwrap_or_else(|_| {
        tracing::error!(request_id = id.0.0, "a request panicked");
        error_response(StatusCode::INTERNAL_SERVER_ERROR, panic_error(), id)
    })
}

/// Responds to a request for an unknown path.
async fn not_found(id: Extension<RequestId>) -> Response {
    error_response(StatusCode::NOT_FOUND, request_error(ErrorCode::NotFound, "This path does not exist."), id)
}

/// Responds to a method that the path does not support.
async fn method_not_allowed(id: Extension<RequestId>) -> Response {
    let error = request_error(ErrorCode::BadRequest, "This path does not support this method.");
    error_response(StatusCode::METHOD_NOT_ALLOWED, error, id)
}

fn error_response(status: StatusCode, mut error: ServerError, id: Extension<RequestId>) -> Response {
    let Extension(RequestId(request_id)) = id;
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("status", i32::from(status.as_u16()));
    extensions.set("requestId", request_id);
    ResponseFormat::Json.refuse(status, vec![error])
}
