//! The place that an open connection occupies among all connections, whether it speaks HTTP or was upgraded.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use prometheus_client::metrics::gauge::Gauge;

use super::admission::Admitted;
use super::state::{ConnectionState, ServedRequest};
use crate::http::metrics::GaugeGuard;

/// The place of a connection. It is free again when the last reference is dropped.
pub struct Place {
    admitted: Admitted,
    _counted: GaugeGuard,
}

impl Place {
    /// The place of an admitted connection, which is counted in the gauge of open connections.
    pub fn new(admitted: Admitted, open: &Gauge) -> Arc<Self> {
        Arc::new(Self { admitted, _counted: GaugeGuard::new(open) })
    }

    /// The state of the connection.
    pub fn state(&self) -> &Arc<ConnectionState> {
        &self.admitted.state
    }

    /// Whether the connection has to close for another one.
    pub fn accepts_close_request(&self) -> bool {
        self.admitted.accepts_close_request()
    }

    /// Waits until an upgraded connection has to close for another one, which never happens while
    /// [`Self::begin_stream`] is in effect.
    pub async fn close_requested(&self) {
        poll_fn(|context| {
            self.state().register_waker(context.waker());
            if self.accepts_close_request() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Marks that HTTP has ended on the connection, which is idle for now.
    pub fn mark_upgraded(&self) {
        self.state().mark_upgraded();
    }

    /// Marks that an upgraded connection is not idle until the result is dropped.
    pub fn begin_stream(&self) -> ServedRequest {
        self.state().begin_request(false)
    }
}
