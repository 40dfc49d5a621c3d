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
    /// Whether the client has been told that the stream begins.
    has_begun: bool,
    /// The operation of an HTTP stream, and an empty one for a WebSocket.
    operation: OperationSummary,
    started: Instant,
    events: u64,
    close: Option<Cow<'static, str>>,
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
            has_begun: false,
            operation: OperationSummary::default(),
            started: Instant::now(),
            events: 0,
            close: None,
            events_of_all,
            _counted: GaugeGuard::new(&open),
        })
    }

    /// Marks that the client has been told that the stream begins.
    pub fn begin(&mut self, operation: OperationSummary) {
        (self.has_begun, self.operation) = (true, operation);
    }

    /// Counts an event that is sent.
    pub fn count_event(&mut self) {
        self.events += 1;
        self.events_of_all.inc();
    }

    /// Sets how the stream ends: a close code, `complete` or `cut`. Without it the client has gone, or the stream
    /// was cut with its session.
    pub fn set_close(&mut self, close: impl Into<Cow<'static, str>>) {
        self.close = Some(close.into());
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let viewer = self.session.viewer();
        self.shared.streams.remove(viewer.user_id());
        if !self.has_begun {
            return;
        }
        let unread = if self.session.end().is_some() { "cut" } else { "gone" };
        tracing::info!(
            request_id = self.request_id,
            transport = self.transport,
            close = self.close.as_deref().unwrap_or(unread),
            events = self.events,
            operation = self.operation.name,
            document = self.operation.document,
            user_id = %viewer.user_id(),
            session_id = viewer.session_id().map(tracing::field::display),
            api_key_id = viewer.api_key_id().map(tracing::field::display),
            duration_ms = self.started.elapsed().as_secs_f64() * 1e3,
            "stream"
        );
    }
}
