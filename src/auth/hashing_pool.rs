//! Where passwords are hashed: threads of their own, each with the memory of one hash, which it keeps, and
//! a bounded queue in front of them, in which client networks take turns.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;
use argon2::Block;
use tokio::sync::oneshot;

use crate::domain::{Error, Result};

/// How many requests wait for a permit at most.
const QUEUE_LIMIT: usize = 64;
/// How many of them may be of one client network.
const NETWORK_QUEUE_LIMIT: usize = 32;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);
/// How many permits there are beyond one for each thread, so that a request can read the account before a
/// thread is free, and no thread waits for the database.
pub(super) const PREFETCHED_PERMITS: usize = 3;

/// What a hash is computed in. A thread keeps its own: fresh memory for each hash would have to be
/// fetched from the system page by page, and allocators keep it where it is of no use.
pub type Argon2Buffer = Vec<Block>;

type HashJob = Box<dyn FnOnce(&mut Argon2Buffer) + Send>;

/// The threads, and the queue for them.
#[derive(Clone)]
pub struct HashingPool {
    queue: Arc<PermitQueue>,
    jobs: mpsc::Sender<HashJob>,
}

/// The permission to have one hash computed.
pub struct HashPermit {
    queue: Arc<PermitQueue>,
    jobs: mpsc::Sender<HashJob>,
}

impl Default for HashingPool {
    /// Leaves one core to everything else. The threads have the priority of the one that makes them, which
    /// is to be that of the process.
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = (cores - 1).max(1);
        let (sender, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = jobs.clone();
            let thread = thread::Builder::new().name(format!("hashing-{number}"));
            thread.spawn(move || worker_loop(&jobs)).expect("threads can be started");
        }
        let state = QueueState { free_permits: threads + PREFETCHED_PERMITS, ..QueueState::default() };
        Self { queue: Arc::new(PermitQueue(Mutex::new(state))), jobs: sender }
    }
}

impl HashingPool {
    /// Waits for a permit. Errors: Unavailable at once when the queue is full, in all or of this client
    /// network, and after two seconds.
    pub async fn acquire(&self, network: IpAddr) -> Result<HashPermit> {
        if let Some(queued) = self.queue.join(network)? {
            let granted = tokio::time::timeout(QUEUE_TIMEOUT, queued.granted()).await;
            granted.map_err(|_| Error::unavailable(anyhow!("no password could be hashed in time")))?;
        }
        Ok(HashPermit { queue: self.queue.clone(), jobs: self.jobs.clone() })
    }
}

impl HashPermit {
    /// Does the work on one of the threads.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Argon2Buffer) -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, replied) = oneshot::channel();
        let jobs = self.jobs.clone();
        let job = move |buffer: &mut Argon2Buffer| {
            let result = work(buffer);
            // The work itself holds the permit: a request that was given up does not free a thread.
            drop(self);
            // The request may have been given up.
            let _ = reply.send(result);
        };
        jobs.send(Box::new(job)).map_err(|_| Error::internal(anyhow!("the hashing threads ended")))?;
        replied.await.map_err(Error::internal)
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        self.queue.release();
    }
}

/// Computes until the pool is dropped.
fn worker_loop(jobs: &Mutex<mpsc::Receiver<HashJob>>) {
    let mut buffer = Argon2Buffer::new();
    let next = || jobs.lock().expect("nobody panics while waiting").recv();
    while let Ok(job) = next() {
        // The request that waits for the answer learns of a panic; the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut buffer)));
    }
}

/// Who waits for a permit.
struct PermitQueue(Mutex<QueueState>);

#[derive(Default)]
struct QueueState {
    /// Permits that nobody has.
    free_permits: usize,
    /// How many requests wait.
    queued: usize,
    /// The networks that have requests waiting; the first one is next.
    networks: VecDeque<IpAddr>,
    /// The requests of each of these networks, oldest first.
    requests: HashMap<IpAddr, VecDeque<oneshot::Sender<()>>>,
}

impl PermitQueue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().expect("no holder panics")
    }

    /// Takes a free permit, or a place in the queue.
    fn join(self: &Arc<Self>, network: IpAddr) -> Result<Option<QueuedRequest>> {
        let mut state = self.lock();
        if state.free_permits > 0 {
            state.free_permits -= 1;
            return Ok(None);
        }
        let of_network = state.requests.get(&network).map_or(0, VecDeque::len);
        if state.queued >= QUEUE_LIMIT || of_network >= NETWORK_QUEUE_LIMIT {
            return Err(Error::unavailable(anyhow!("too many passwords wait to be hashed")));
        }
        if of_network == 0 {
            state.networks.push_back(network);
        }
        let (grant, granted) = oneshot::channel();
        state.requests.entry(network).or_default().push_back(grant);
        state.queued += 1;
        Ok(Some(QueuedRequest { queue: self.clone(), network, granted }))
    }

    /// Gives a permit to the next request that waits.
    fn release(&self) {
        let mut state = self.lock();
        while let Some(grant) = state.pop_next() {
            if grant.send(()).is_ok() {
                return;
            }
        }
        state.free_permits += 1;
    }
}

impl QueueState {
    /// Takes the oldest request of the network whose turn it is; that network's next turn is the last.
    fn pop_next(&mut self) -> Option<oneshot::Sender<()>> {
        let network = self.networks.pop_front()?;
        let requests = self.requests.get_mut(&network)?;
        let grant = requests.pop_front();
        if requests.is_empty() {
            self.requests.remove(&network);
        } else {
            self.networks.push_back(network);
        }
        self.queued -= usize::from(grant.is_some());
        grant
    }

    /// Forgets the requests of a network that were given up.
    fn remove_cancelled(&mut self, network: IpAddr) {
        let Some(requests) = self.requests.get_mut(&network) else { return };
        let before = requests.len();
        requests.retain(|grant| !grant.is_closed());
        self.queued -= before - requests.len();
        if requests.is_empty() {
            self.requests.remove(&network);
            self.networks.retain(|other| *other != network);
        }
    }
}

/// The place of one request in the queue; dropping it gives the place up.
struct QueuedRequest {
    queue: Arc<PermitQueue>,
    network: IpAddr,
    granted: oneshot::Receiver<()>,
}

impl QueuedRequest {
    async fn granted(mut self) {
        // A grant is not dropped while its request waits. Polled by reference: `Drop` needs it still.
        let _ = (&mut self.granted).await;
        // It was received, so it is not found again by `Drop`.
    }
}

impl Drop for QueuedRequest {
    fn drop(&mut self) {
        self.granted.close();
        // A permit that was granted in the same moment is passed on.
        if self.granted.try_recv().is_ok() {
            self.queue.release();
        } else {
            self.queue.lock().remove_cancelled(self.network);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use futures_util::poll;
    use std::pin::pin;

    use super::*;

    const NETWORKS: [&str; 3] = ["192.0.2.0", "198.51.100.0", "2001:db8::"];

    fn network(number: usize) -> IpAddr {
        NETWORKS[number].parse().expect("an address")
    }

    async fn all_permits(pool: &HashingPool) -> Vec<HashPermit> {
        let count = pool.queue.lock().free_permits;
        let permits = join_all((0..count).map(|_| pool.acquire(network(0)))).await;
        permits.into_iter().map(|permit| permit.expect("it is free")).collect()
    }

    #[tokio::test]
    async fn networks_take_turns_however_many_requests_each_has() {
        let pool = HashingPool::default();
        let mut permits = all_permits(&pool).await;
        let served = Mutex::new(Vec::new());
        let request = |number| {
            let (pool, served) = (&pool, &served);
            async move {
                let permit = pool.acquire(network(number)).await.expect("there is room to wait");
                served.lock().expect("nobody panics with it").push(number);
                drop(permit);
            }
        };
        let requests = [0, 0, 0, 0, 0, 1, 1, 2].map(request);
        let mut all = pin!(join_all(requests));
        assert!(poll!(&mut all).is_pending());
        permits.pop();
        all.await;
        assert_eq!(*served.lock().expect("nobody panics with it"), [0, 1, 2, 0, 1, 0, 0, 0]);
    }

    #[tokio::test]
    async fn one_network_takes_half_of_the_places_and_all_networks_the_rest() {
        let pool = HashingPool::default();
        let permits = all_permits(&pool).await;
        let mut queued: Vec<_> = (0..80).map(|_| pool.queue.join(network(0))).collect();
        assert_eq!(queued.iter().filter(|request| request.is_ok()).count(), 32);
        queued.extend((0..80).map(|_| pool.queue.join(network(1))));
        assert_eq!(queued.iter().filter(|request| request.is_ok()).count(), 64);
        assert!(pool.queue.join(network(2)).is_err());
        drop(queued);
        assert_eq!(pool.queue.lock().queued, 0);
        assert!(pool.queue.lock().networks.is_empty());
        let free = permits.len();
        drop(permits);
        assert_eq!(pool.queue.lock().free_permits, free);
    }

    #[tokio::test]
    async fn a_permit_that_comes_too_late_goes_to_the_next() {
        let pool = HashingPool::default();
        let mut permits = all_permits(&pool).await;
        let given_up = pool.queue.join(network(0)).expect("there is room");
        let next = pool.queue.join(network(0)).expect("there is room").expect("no permit is free");
        permits.pop();
        drop(given_up);
        next.granted().await;
        let state = pool.queue.lock();
        assert_eq!((state.free_permits, state.queued), (0, 0));
    }
}
