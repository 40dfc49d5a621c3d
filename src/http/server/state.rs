//! How far a connection is: its task notes it, the accept loop reads it. A request touches nothing here
//! that connections share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Waker;
use std::time::Instant;

use futures_util::task::AtomicWaker;

/// In the place of a moment: the connection is not idle.
const NOT_IDLE: u64 = u64::MAX;

/// The state of one connection.
#[derive(Debug)]
pub struct ConnectionState {
    /// Counts each begin of a request and each end of its answer: odd while a request is served. The stream
    /// may not be read meanwhile, so it needs to see that a request came and went.
    phase_changes: AtomicUsize,
    /// Since when the connection is idle, in nanoseconds of the process; [`BUSY`] from the end of a request
    /// head until the whole answer is handed to the system.
    idle_since: AtomicU64,
    /// The body of the present request has not been read to its end.
    is_body_unread: AtomicBool,
    is_close_requested: AtomicBool,
    is_shutdown_requested: AtomicBool,
    waker: AtomicWaker,
}

impl Default for ConnectionState {
    /// A connection that has just been opened, and is idle.
    fn default() -> Self {
        Self {
            phase_changes: AtomicUsize::default(),
            idle_since: AtomicU64::new(now()),
            is_body_unread: AtomicBool::default(),
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
    /// Notes that a request head is complete, until the result is dropped with the last part of the answer.
    pub fn begin_request(self: &Arc<Self>, has_body: bool) -> ServedRequest {
        self.phase_changes.fetch_add(1, Ordering::Relaxed);
        self.idle_since.store(NOT_IDLE, Ordering::Relaxed);
        self.is_body_unread.store(has_body, Ordering::Relaxed);
        ServedRequest(self.clone())
    }

    /// How many requests began and how many answers ended.
    pub fn phase_changes(&self) -> usize {
        self.phase_changes.load(Ordering::Relaxed)
    }

    /// Whether a request has its head and not yet all of its answer.
    pub fn is_serving(&self) -> bool {
        !self.phase_changes().is_multiple_of(2)
    }

    /// Notes that the last answer is not wholly handed to the system.
    pub fn mark_unwritten(&self) {
        self.idle_since.store(NOT_IDLE, Ordering::Relaxed);
    }

    /// Notes that all that the handler has given of an answer is handed to the system.
    pub fn mark_written(&self) {
        if !self.is_serving() && self.idle_since.load(Ordering::Relaxed) == NOT_IDLE {
            self.idle_since.store(now(), Ordering::Relaxed);
        }
    }

    /// Since when the connection is idle, as a number that only compares with others; None when it is not.
    pub fn idle_since(&self) -> Option<u64> {
        let since = self.idle_since.load(Ordering::Relaxed);
        (since != NOT_IDLE).then_some(since)
    }

    /// Notes that the body of the request has been read to its end.
    pub fn mark_body_read(&self) {
        self.is_body_unread.store(false, Ordering::Relaxed);
    }

    /// Whether the last request has a body that was not read to its end.
    pub fn is_body_unread(&self) -> bool {
        self.is_body_unread.load(Ordering::Relaxed)
    }

    /// Asks the connection to close for another one, if it is still idle when its task runs.
    pub fn request_close(&self) {
        self.is_close_requested.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the connection was asked to close and has not declined.
    pub fn is_close_requested(&self) -> bool {
        self.is_close_requested.load(Ordering::Acquire)
    }

    /// Notes that the connection does not close, since a request has come.
    pub fn decline_close(&self) {
        self.is_close_requested.store(false, Ordering::Release);
    }

    /// Asks the connection to close as soon as its present request is answered.
    pub fn request_graceful_shutdown(&self) {
        self.is_shutdown_requested.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the connection was asked to finish since the last look.
    pub fn take_graceful_shutdown(&self) -> bool {
        // A plain load first: it is cheaper, and the answer is nearly always no.
        self.is_shutdown_requested.load(Ordering::Acquire)
            && self.is_shutdown_requested.swap(false, Ordering::AcqRel)
    }

    /// Says which task is woken by what is asked of the connection.
    pub fn register_waker(&self, task: &Waker) {
        self.waker.register(task);
    }
}

/// A request that is being served. Dropped when the last part of its answer has been taken from the handler.
#[derive(Debug)]
pub struct ServedRequest(Arc<ConnectionState>);

impl Drop for ServedRequest {
    fn drop(&mut self) {
        self.0.phase_changes.fetch_add(1, Ordering::Relaxed);
    }
}
