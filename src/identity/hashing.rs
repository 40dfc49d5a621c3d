//! The room where passwords are hashed: threads of its own, each with the memory of one hash, which it
//! keeps; and so many places to wait, for so long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;
use argon2::Block;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::domain::{Error, Result};

const MAX_WAITING: usize = 64;
const MAX_WAIT: Duration = Duration::from_secs(2);
/// So many more than there are threads have their turn: what they have to look up first is there when a
/// thread has time for them.
pub(super) const AHEAD: usize = 3;

/// What a hash is computed in. A thread keeps its own: fresh memory for each hash would have to be
/// fetched from the system page by page, and allocators keep it where it is of no use.
pub type Memory = Vec<Block>;

type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// The threads, and the places.
#[derive(Clone)]
pub struct Room {
    /// One permit for each turn.
    turns: Arc<Semaphore>,
    /// One permit for everybody in the room.
    places: Arc<Semaphore>,
    work: mpsc::Sender<Work>,
}

/// The turn to have one hash computed.
pub struct Turn {
    permits: [OwnedSemaphorePermit; 2],
    work: mpsc::Sender<Work>,
}

impl Default for Room {
    /// Leaves one core to everything else. The threads have the priority of the one that makes them, which
    /// is to be that of the process.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = (cores - 1).max(1);
        let (work, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads {
            let queue = queue.clone();
            let thread = thread::Builder::new().name(format!("hashing-{number}"));
            thread.spawn(move || serve(&queue)).expect("threads can be started");
        }
        Self {
            turns: Arc::new(Semaphore::new(threads + AHEAD)),
            places: Arc::new(Semaphore::new(threads + MAX_WAITING)),
            work,
        }
    }
}

impl Room {
    /// Takes a place, or fails at once when there is none, and waits there for a turn, or fails when that
    /// takes too long.
    pub async fn enter(&self) -> Result<Turn> {
        let full = |_| Error::unavailable(anyhow!("too many passwords wait to be hashed"));
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        let turn = tokio::time::timeout(MAX_WAIT, self.turns.clone().acquire_owned()).await;
        let late = |_| Error::unavailable(anyhow!("no turn to hash in time"));
        let turn = turn.map_err(late)?.map_err(Error::internal)?;
        Ok(Turn { permits: [place, turn], work: self.work.clone() })
    }
}

impl Turn {
    /// Does the work on the thread.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let permits = self.permits;
        let work = move |memory: &mut Memory| {
            let result = work(memory);
            // Held by the work itself: a caller that goes away does not make room that is not there.
            drop(permits);
            // Nobody may be there to be told.
            let _ = answer.send(result);
        };
        self.work.send(Box::new(work)).map_err(|_| Error::internal(anyhow!("nobody hashes any more")))?;
        answered.await.map_err(Error::internal)
    }
}

/// Works until the room is gone.
fn serve(queue: &Mutex<mpsc::Receiver<Work>>) {
    let mut memory = Memory::new();
    let next = || queue.lock().expect("nobody panics while waiting").recv();
    while let Ok(work) = next() {
        // Whoever waits for the answer learns of a panic; the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| work(&mut memory)));
    }
}
