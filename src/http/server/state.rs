//! The state of a connection, written by its task and read by the accept loop. A request writes nothing that
//! connections share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::task::Waker;
use std::time::Instant;

use futures_util::task::AtomicWaker;

use super::http_stream::HttpStream;

/// The value of `idle_since` while the connection is not idle.
const NOT_IDLE: u64 = u64::MAX;

/// The state of one connection.
#[derive(Debug)]
pub struct ConnectionState {
    /// The number of requests begun plus the number of responses ended: odd while a request is served. A
    /// count and not a flag, since a whole request may be served between two reads of the stream.
    phase_changes: AtomicUsize,
    /// When the connection became idle, in nanoseconds since the first connection; [`NOT_IDLE`] from the end
    /// of a request head until the whole response has been written to the socket.
    idle_since: AtomicU64,
    /// Whether the body of the current request has not been read to its end.
    is_body_unread: AtomicBool,
    /// The HTTP stream that is the last response of the connection.
    http_stream: OnceLock<HttpStream>,
    /// Whether hyper waits for the next frame of a response. All bytes before it are written by the next flush.
    awaits_frame: AtomicBool,
    is_upgraded: AtomicBool,
    is_close_requested: AtomicBool,
    is_shutdown_requested: AtomicBool,
    waker: AtomicWaker,
}

impl Default for ConnectionState {
    /// A new connection, which is idle.
    fn default() -> Self {
        Self {
            phase_changes: AtomicUsize::default(),
            idle_since: AtomicU64::new(now()),
            is_body_unread: AtomicBool::default(),
            http_stream: OnceLock::default(),
            awaits_frame: AtomicBool::default(),
            is_upgraded: AtomicBool::default(),
            is_close_requested: AtomicBool::default(),
            is_shutdown_requested: AtomicBool::default(),
            waker: AtomicWaker::default(),
        }
    }
}

fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

impl ConnectionState {
    /// Marks that a request head is complete. The request ends when the result is dropped, with the last
    /// frame of the response.
    pub fn begin_request(self: &Arc<Self>, has_body: bool) -> ServedRequest {
        self.phase_changes.fetch_add(1, Ordering::Relaxed);
        self.idle_since.store(NOT_IDLE, Ordering::Relaxed);
        self.is_body_unread.store(has_body, Ordering::Relaxed);
        ServedRequest(self.clone())
    }

    /// The number of requests begun plus the number of responses ended.
    pub fn phase_changes(&self) -> usize {
        self.phase_changes.load(Ordering::Relaxed)
    }

    /// Whether a request is served: its head is complete and its response is not.
    pub fn is_serving(&self) -> bool {
        !self.phase_changes().is_multiple_of(2)
    }

    /// Marks that the last response has not been written completely to the socket.
    pub fn mark_unwritten(&self) {
        self.idle_since.store(NOT_IDLE, Ordering::Relaxed);
    }

    /// Marks that all bytes of the response so far have been written to the socket.
    pub fn mark_written(&self) {
        if !self.is_serving() && self.idle_since.load(Ordering::Relaxed) == NOT_IDLE {
            self.idle_since.store(now(), Ordering::Relaxed);
        }
    }

    /// When the connection became idle, as a number for comparison only; None when it is not idle.
    pub fn idle_since(&self) -> Option<u64> {
        let since = self.idle_since.load(Ordering::Relaxed);
        (since != NOT_IDLE).then_some(since)
    }

    /// Marks that the request body has been read to its end.
    pub fn mark_body_read(&self) {
        self.is_body_unread.store(false, Ordering::Relaxed);
    }

    /// Whether the body of the last request has not been read to its end.
    pub fn is_body_unread(&self) -> bool {
        self.is_body_unread.load(Ordering::Relaxed)
    }

    /// Marks that the response is an HTTP stream. The connection closes after it.
    pub fn mark_http_stream(&self, stream: HttpStream) {
        let _ = self.http_stream.set(stream);
    }

    /// The HTTP stream that is the response.
    pub fn http_stream(&self) -> Option<&HttpStream> {
        self.http_stream.get()
    }

    /// Marks that HTTP has ended on this connection, since it was upgraded. It is idle until a request begins.
    pub fn mark_upgraded(&self) {
        self.is_upgraded.store(true, Ordering::Relaxed);
    }

    /// Whether the response is an HTTP stream all of whose events so far are complete.
    pub fn is_between_events(&self) -> bool {
        self.http_stream().is_some() && self.awaits_frame.load(Ordering::Relaxed)
    }

    /// Whether HTTP has ended on this connection.
    pub fn is_upgraded(&self) -> bool {
        self.is_upgraded.load(Ordering::Relaxed)
    }

    /// Requests the connection to close for another one, if it is still idle when its task runs.
    pub fn request_close(&self) {
        self.is_close_requested.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the connection was requested to close and has not declined.
    pub fn is_close_requested(&self) -> bool {
        self.is_close_requested.load(Ordering::Acquire)
    }

    /// Declines to close, since a request has arrived.
    pub fn decline_close(&self) {
        self.is_close_requested.store(false, Ordering::Release);
    }

    /// Requests the connection to close after the response to its current request.
    pub fn request_graceful_shutdown(&self) {
        self.is_shutdown_requested.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether a graceful shutdown was requested since the last call.
    pub fn take_graceful_shutdown(&self) -> bool {
        // A load first: it is cheaper than a swap, and the result is nearly always false.
        self.is_shutdown_requested.load(Ordering::Acquire)
            && self.is_shutdown_requested.swap(false, Ordering::AcqRel)
    }

    /// Sets the task that a request to close or to shut down wakes.
    pub fn register_waker(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}

/// A request that is being served. It is dropped when hyper has taken the last frame of the response.
#[derive(Debug)]
pub struct ServedRequest(Arc<ConnectionState>);

impl ServedRequest {
    /// Marks whether hyper waits for the next frame of the response.
    pub fn set_awaits_frame(&self, awaits_frame: bool) {
        self.0.awaits_frame.store(awaits_frame, Ordering::Relaxed);
    }
}

impl Drop for ServedRequest {
    fn drop(&mut self) {
        self.0.phase_changes.fetch_add(1, Ordering::Relaxed);
    }
}
