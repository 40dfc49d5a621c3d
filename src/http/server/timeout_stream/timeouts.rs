//! The timeouts of a connection: for request heads, and for responses that the client does not read.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::http::server::state::ConnectionState;

/// From the first byte of a request to the end of its head; for the first request, from the start of the
/// connection.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may read nothing of a response that waits to be written.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// From the first byte of a response that had to wait to its last byte.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);

/// A time by which something has to be done, if there is something to wait for.
#[derive(Default)]
struct Deadline {
    at: Option<Instant>,
    /// Created only when the task has to wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Sets the time, unless it is set already.
    fn begin(&mut self, at: Instant) {
        self.at.get_or_insert(at);
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    /// Fails when the time has passed; otherwise wakes the task at that time.
    fn check(&mut self, context: &mut Context<'_>, message: &str) -> Result<()> {
        let Some(at) = self.at else { return Ok(()) };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Err(Error::new(ErrorKind::TimedOut, message)),
            Poll::Pending => Ok(()),
        }
    }
}

/// The timeout of request heads.
pub struct HeadTimeout {
    deadline: Deadline,
    has_partial_head: bool,
    /// The number of phase changes when the stream was last read.
    seen_phase_changes: usize,
}

impl HeadTimeout {
    /// Starts the timeout of the first head.
    pub fn start() -> Self {
        let mut deadline = Deadline::default();
        deadline.begin(Instant::now() + HEAD_TIMEOUT);
        Self { deadline, has_partial_head: false, seen_phase_changes: 0 }
    }

    /// Stops the timeout if a head has been completed since the last call.
    pub fn note_complete_heads(&mut self, state: &ConnectionState) {
        let phase_changes = state.phase_changes();
        if phase_changes != self.seen_phase_changes {
            self.seen_phase_changes = phase_changes;
            self.deadline.clear();
            self.has_partial_head = false;
        }
    }

    /// Starts the timeout with the first bytes of a head.
    pub fn note_bytes(&mut self) {
        self.deadline.begin(Instant::now() + HEAD_TIMEOUT);
        self.has_partial_head = true;
    }

    /// Whether bytes have arrived since the last complete head.
    pub fn has_partial_head(&self) -> bool {
        self.has_partial_head
    }

    /// Fails when the timeout has passed; otherwise wakes the task at that time.
    pub fn check(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.deadline.check(context, "the head of a request took too long")
    }
}

/// The timeouts of a response that the client reads slowly.
#[derive(Default)]
pub struct ResponseTimeout {
    /// When the client must have read some more of the response.
    stall_deadline: Deadline,
    /// When the client must have read the whole response.
    response_deadline: Option<Instant>,
}

impl ResponseTimeout {
    /// Passes on the result of a write, or fails when it has been pending for too long.
    pub fn check(&mut self, context: &mut Context<'_>, written: Poll<Result<usize>>) -> Poll<Result<usize>> {
        if written.is_pending() {
            let now = Instant::now();
            let response_deadline = *self.response_deadline.get_or_insert(now + RESPONSE_TIMEOUT);
            self.stall_deadline.begin(response_deadline.min(now + STALL_TIMEOUT));
            self.stall_deadline.check(context, "a response was read too slowly")?;
        } else {
            self.stall_deadline.clear();
        }
        written
    }

    /// Ends the timeout of the whole response; the next response has its own.
    pub fn end_response(&mut self) {
        self.response_deadline = None;
    }
}
