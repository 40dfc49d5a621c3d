//! The health endpoints: /healthz reports that the process runs, /readyz that it can serve requests.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::shared::Shared;

/// Responds 200 as long as the process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Responds 200 when the database can be written to, and 503 otherwise or while the server stops.
pub async fn readyz(State(state): State<Arc<Shared>>) -> (StatusCode, &'static str) {
    if state.readiness.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if state.api.is_ready().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not respond\n")
    }
}
