//! The sessions and API keys that have open streams on this instance.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The sessions that have open streams on this instance.
#[derive(Default)]
pub struct StreamedSessions(Mutex<HashMap<Uuid, Streamed>>);

#[derive(Default)]
struct Streamed {
    ended: CancellationToken,
    streams: usize,
}

impl StreamedSessions {
    /// Ends the streams of sessions. It may be called several times for the same ones.
    pub fn end(&self, ended: &[Uuid]) {
        let sessions = self.lock();
        if !sessions.is_empty() {
            let streamed = ended.iter().filter_map(|session| sessions.get(session));
            streamed.for_each(|streamed| streamed.ended.cancel());
        }
    }

    /// Adds a stream of a session, and returns what is cancelled when the session ends.
    pub fn add(&self, session: Uuid) -> CancellationToken {
        let mut sessions = self.lock();
        let streamed = sessions.entry(session).or_default();
        streamed.streams += 1;
        streamed.ended.clone()
    }

    /// Removes a stream of a session.
    pub fn remove(&self, session: Uuid) {
        if let Entry::Occupied(mut streamed) = self.lock().entry(session) {
            streamed.get_mut().streams -= 1;
            if streamed.get().streams == 0 {
                streamed.remove();
            }
        }
    }

    /// The sessions that have streams.
    pub fn all(&self) -> Vec<Uuid> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Streamed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
