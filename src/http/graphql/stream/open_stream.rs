//! An open stream: its place within the limits, its metrics, and its line in the log.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::counter::Counter;

use crate::api::StreamSession;
use crate::graphql::OperationSummary;
use crate::http::graphql::stream::StreamLimit;
use crate::http::metrics::GaugeGuard;
use crate::http::shared::Shared;

/// A stream from its beginning to its end. Dropping it writes the line in the log.
pub struct OpenStream {
    shared: Arc<Shared>,
    pub session: Arc<StreamSession>,
    transport: &'static str,
    request_id: String,
    /// The operation of an HTTP stream, and an empty one for a WebSocket. None until the stream has begun.
    operation: Option<OperationSummary>,
    started: Instant,
    events: u64,
    close: Cow<'static, str>,
    events_of_all: Counter,
    _counted: GaugeGuard,
}

impl OpenStream {
    /// Takes a place for the stream of a session. `request_id` is that of the HTTP request.
    pub fn open(
        shared: &Arc<Shared>,
        session: StreamSession,
        transport: &'static str,
        request_id: &str,
    ) -> Result<Self, StreamLimit> {
        shared.streams.add(session.viewer().user_id())?;
        let (open, events_of_all) = shared.metrics.stream(transport);
        Ok(Self {
            shared: shared.clone(),
            session: Arc::new(session),
            transport,
            request_id: request_id.to_owned(),
            operation: None,
            started: Instant::now(),
            events: 0,
            close: Cow::Borrowed("gone"),
            events_of_all,
            _counted: GaugeGuard::new(&open),
        })
    }

    /// Marks that the client has been told that the stream begins.
    pub fn begin(&mut self, operation: OperationSummary) {
        self.operation = Some(operation);
    }

    /// Counts an event that is sent.
    pub fn count_event(&mut self) {
        self.events += 1;
        self.events_of_all.inc();
    }

    /// Sets how the stream ends: a close code, `complete` or `cut`. Without it the client has gone.
    pub fn set_close(&mut self, close: impl Into<Cow<'static, str>>) {
        self.close = close.into();
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let viewer = self.session.viewer();
        self.shared.streams.remove(viewer.user_id());
        let Some(operation) = &self.operation else { return };
        tracing::info!(
            request_id = self.request_id,
            transport = self.transport,
            close = &*self.close,
            events = self.events,
            operation = operation.name,
            document = operation.document,
            user_id = %viewer.user_id(),
            session_id = %viewer.session_id(),
            duration_ms = self.started.elapsed().as_secs_f64() * 1e3,
            "stream"
        );
    }
}
