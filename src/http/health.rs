//! The health endpoints: /healthz reports that the process runs, /readyz that it can serve requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;

/// Whether the server still accepts requests; shared by all clones.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    stopping: Arc<AtomicBool>,
}

impl Readiness {
    /// Makes /readyz respond 503 from now on, so that a load balancer sends requests to other instances.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Responds 200 as long as the process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Responds 200 when the database can be written to, and 503 otherwise or while the server stops.
pub async fn readyz(State(state): State<Arc<super::Shared>>) -> (StatusCode, &'static str) {
    if state.readiness.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if state.api.is_ready().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not respond\n")
    }
}
