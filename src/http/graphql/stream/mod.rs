//! Streams: WebSockets and HTTP responses that report one event after the other. This file has their limits;
//! what they share is in `open_stream` and `turns`.

mod event_body;
pub mod http_format;
pub mod http_stream;
mod open_stream;
mod turns;
pub mod websocket;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

/// How long the event that is being sent may still take when its session has ended.
const LAST_EVENT_TIMEOUT: Duration = Duration::from_secs(1);

/// The options of streams.
#[derive(Clone, Copy, Debug)]
pub struct StreamSettings {
    /// The maximum number of open streams.
    pub total: usize,
    /// The maximum number of open streams of one user; 0: no limit.
    pub per_user: usize,
    /// The maximum number of open operations of one WebSocket.
    pub operations_per_socket: usize,
    /// The longest time in which a stream sends nothing.
    pub keepalive: Duration,
}

/// A limit that a new stream would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamLimit {
    Total,
    OfUser,
}

/// The numbers of open streams, and their limits.
pub struct Streams {
    pub settings: StreamSettings,
    open: Mutex<OpenStreams>,
}

#[derive(Default)]
struct OpenStreams {
    total: usize,
    by_user: HashMap<Uuid, usize>,
}

impl Streams {
    pub fn new(settings: StreamSettings) -> Self {
        Self { settings, open: Mutex::default() }
    }

    /// Whether no stream of any user can begin.
    pub fn is_full(&self) -> bool {
        self.open().total >= self.settings.total
    }

    /// Counts a stream. [`Self::remove`] must be called when it ends.
    fn add(&self, user: Uuid) -> Result<(), StreamLimit> {
        let mut open = self.open();
        if open.total >= self.settings.total {
            return Err(StreamLimit::Total);
        }
        let per_user = self.settings.per_user;
        let of_user = open.by_user.get(&user).copied().unwrap_or_default();
        if per_user > 0 && of_user >= per_user {
            return Err(StreamLimit::OfUser);
        }
        open.by_user.insert(user, of_user + 1);
        open.total += 1;
        Ok(())
    }

    fn remove(&self, user: Uuid) {
        let mut open = self.open();
        open.total -= 1;
        if let Some(of_user) = open.by_user.get_mut(&user) {
            *of_user -= 1;
            if *of_user == 0 {
                open.by_user.remove(&user);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, OpenStreams> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
