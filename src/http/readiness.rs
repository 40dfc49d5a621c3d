//! Whether the server accepts requests, as /readyz reports it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
