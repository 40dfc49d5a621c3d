//! A thread pool for Argon2 with one reusable buffer per thread, and a bounded queue in front of it, in which
//! client networks take turns.

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

/// The maximum number of requests that wait for a permit.
const QUEUE_LIMIT: usize = 64;
/// The maximum number of waiting requests from one client network.
const NETWORK_QUEUE_LIMIT: usize = 32;
/// How long a request waits for a permit.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);
/// The number of permits beyond one per thread: a request can read the account before a thread is free, so no
/// thread waits for the database.
pub(super) const PREFETCHED_PERMITS: usize = 3;

/// The memory in which a hash is computed. Each thread reuses its own: with new memory for each hash the
/// system would have to map every page again, or the allocator would keep the memory without use.
pub type Argon2Buffer = Vec<Block>;

type HashJob = Box<dyn FnOnce(&mut Argon2Buffer) + Send>;

/// The hashing threads with their queue.
#[derive(Clone)]
pub struct HashingPool {
    queue: Arc<PermitQueue>,
    jobs: mpsc::Sender<HashJob>,
}

/// Permission to compute one hash.
pub struct HashPermit {
    queue: Arc<PermitQueue>,
    jobs: mpsc::Sender<HashJob>,
}

impl Default for HashingPool {
    /// Starts one thread fewer than there are cores, but at least one. The threads inherit the priority of
    /// the calling thread, which must be that of the process.
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
    /// Waits for a permit. Errors: Unavailable immediately when the queue is full, in total or for this
    /// client network, and after [`QUEUE_TIMEOUT`].
    pub async fn acquire(&self, network: IpAddr) -> Result<HashPermit> {
        if let Some(queued) = self.queue.join(network)? {
            let granted = tokio::time::timeout(QUEUE_TIMEOUT, queued.granted()).await;
            granted.map_err(|_| Error::unavailable(anyhow!("no password could be hashed in time")))?;
        }
        Ok(HashPermit { queue: self.queue.clone(), jobs: self.jobs.clone() })
    }
}

impl HashPermit {
    /// Runs the work on one of the hashing threads. Errors: Internal when the work panics.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Argon2Buffer) -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, replied) = oneshot::channel();
        let jobs = self.jobs.clone();
        let job = move |buffer: &mut Argon2Buffer| {
            let result = work(buffer);
            // The job owns the permit, because a cancelled request does not free its thread.
            drop(self);
            // The send fails when the request was cancelled.
            let _ = reply.send(result);
        };
        jobs.send(Box::new(job)).map_err(|_| Error::internal(anyhow!("the hashing threads have ended")))?;
        replied.await.map_err(Error::internal)
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        self.queue.release();
    }
}

/// Runs jobs until the pool is dropped.
fn worker_loop(jobs: &Mutex<mpsc::Receiver<HashJob>>) {
    let mut buffer = Argon2Buffer::new();
    let next = || jobs.lock().expect("no holder panics").recv();
    while let Ok(job) = next() {
        // A panic drops the reply channel, which fails the request; the thread continues.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut buffer)));
    }
}

/// The requests that wait for a permit.
struct PermitQueue(Mutex<QueueState>);

#[derive(Default)]
struct QueueState {
    /// The number of permits that are not in use.
    free_permits: usize,
    /// The number of requests that wait.
    queued: usize,
    /// The networks with waiting requests; the first one is next.
    networks: VecDeque<IpAddr>,
    /// The requests of each of these networks, oldest first.
    requests: HashMap<IpAddr, VecDeque<oneshot::Sender<()>>>,
}

impl PermitQueue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().expect("no holder panics")
    }

    /// Takes a free permit (None), or queues a request for one. Errors: Unavailable when the queue is full.
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

    /// Passes a permit to the next waiting request.
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
    /// Removes the oldest request of the first network, and moves that network to the end.
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

    /// Removes the cancelled requests of a network.
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

/// A request in the queue; dropping it cancels the request.
struct QueuedRequest {
    queue: Arc<PermitQueue>,
    network: IpAddr,
    granted: oneshot::Receiver<()>,
}

impl QueuedRequest {
    async fn granted(mut self) {
        // The sender is not dropped while its request waits. Polled by reference, since `Drop` uses the
        // receiver.
        let _ = (&mut self.granted).await;
        // The grant is consumed here, so `Drop` does not release it a second time.
    }
}

impl Drop for QueuedRequest {
    fn drop(&mut self) {
        self.granted.close();
        // A permit that was granted at the same time is passed on.
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
                let permit = pool.acquire(network(number)).await.expect("the queue is not full");
                served.lock().expect("no holder panics").push(number);
                drop(permit);
            }
        };
        let requests = [0, 0, 0, 0, 0, 1, 1, 2].map(request);
        let mut all = pin!(join_all(requests));
        assert!(poll!(&mut all).is_pending());
        permits.pop();
        all.await;
        assert_eq!(*served.lock().expect("no holder panics"), [0, 1, 2, 0, 1, 0, 0, 0]);
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
        let given_up = pool.queue.join(network(0)).expect("the queue is not full");
        let next = pool.queue.join(network(0)).expect("the queue is not full").expect("no permit is free");
        permits.pop();
        drop(given_up);
        next.granted().await;
        let state = pool.queue.lock();
        assert_eq!((state.free_permits, state.queued), (0, 0));
    }
}
