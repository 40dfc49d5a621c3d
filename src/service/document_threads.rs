//! Runs work on documents. That on a large document runs outside the threads of requests, few at a time, and only one
//! of each user, so that neither other requests nor other users wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::domain::{Error, Result};

/// Work on documents up to this size, in bytes, runs on the thread of the request: it takes few milliseconds.
const SMALL_DOCUMENT: usize = 64 * 1024;

/// The permits for work on large documents.
#[derive(Clone)]
pub struct DocumentThreads {
    all: Arc<Semaphore>,
    /// The users who have, or wait for, a permit.
    users: Arc<Mutex<HashMap<Uuid, Arc<Semaphore>>>>,
}

impl Default for DocumentThreads {
    /// One permit fewer than there are cores, but at least one.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { all: Arc::new(Semaphore::new((cores - 1).max(1))), users: Arc::default() }
    }
}

impl DocumentThreads {
    /// Runs work of `user` on documents of `bytes` bytes together. Errors: Internal when the work panics.
    pub async fn run<T: Send + 'static>(
        &self,
        user: Uuid,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if bytes <= SMALL_DOCUMENT {
            return Ok(work());
        }
        let turn = Turn::of(self, user);
        let of_user = turn.semaphore.clone().acquire_owned().await.map_err(Error::internal)?;
        let of_all = self.all.clone().acquire_owned().await.map_err(Error::internal)?;
        let run = move || {
            let result = work();
            // The work owns its permits, because a cancelled request does not end it.
            drop((of_all, of_user, turn));
            result
        };
        tokio::task::spawn_blocking(run).await.map_err(Error::internal)
    }
}

/// Runs work on documents of `bytes` bytes together in a transaction. It does not wait for a permit, because others
/// wait for the locks of the transaction; their number is limited by that of the connections. Errors: Internal when
/// the work panics.
pub async fn run_in_transaction<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if bytes <= SMALL_DOCUMENT {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// The semaphore of one user. It is removed from the map with the last turn of the user.
struct Turn {
    threads: DocumentThreads,
    user: Uuid,
    semaphore: Arc<Semaphore>,
}

impl Turn {
    fn of(threads: &DocumentThreads, user: Uuid) -> Self {
        let mut users = threads.users.lock().expect("no holder panics");
        let semaphore = users.entry(user).or_insert_with(|| Arc::new(Semaphore::new(1))).clone();
        Self { threads: threads.clone(), user, semaphore }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut users = self.threads.users.lock().expect("no holder panics");
        // The map and this turn have one reference each.
        if Arc::strong_count(&self.semaphore) <= 2 {
            users.remove(&self.user);
        }
    }
}
