//! How far the server is with stopping, as /readyz and the streams see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// Whether the server still accepts requests; shared by all clones.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    stopping: Arc<AtomicBool>,
    streams_end: CancellationToken,
}

impl Readiness {
    /// Makes /readyz respond 503 from now on, so that a load balancer sends requests to other instances. No
    /// stream begins any more.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Ends all streams.
    pub fn end_streams(&self) {
        self.streams_end.cancel();
    }

    /// Waits until all streams have to end.
    pub async fn streams_end(&self) {
        self.streams_end.cancelled().await;
    }
}
