//! Coalescing of requests: what arrives while requests of the same kind are being answered waits, and is
//! answered together with everything else that waits, by one statement. Nothing waits in order to be joined:
//! what arrives when little is going on is answered at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::anyhow;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::domain::{Error, Result};

/// How many batches run at once.
const MAX_IN_FLIGHT: usize = 4;
/// The largest batch. Sizes are powers of two, since each size is a statement of its own to prepare.
const MAX_BATCH_SIZE: usize = 32;
/// How long a request waits for its answer: for two statements that take all their time, and a little more.
const REPLY_TIMEOUT: Duration = Duration::from_secs(12);

/// How a batch is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For several users: no wait for a lock is long, since it may be due to one of them.
    Shared,
    /// For one request, and within the share of its user.
    Individual,
}

type Work<K, V> = dyn Fn(Arc<[K]>, Mode) -> BoxFuture<'static, Result<Vec<V>>> + Send + Sync;
type Request<K, V> = (K, oneshot::Sender<Result<V>>);

/// Answers requests of one kind, in batches.
pub struct Coalescer<K, V> {
    work: Arc<Work<K, V>>,
    user: fn(&K) -> Uuid,
    state: Arc<Mutex<State<K, V>>>,
}

struct State<K, V> {
    waiting: Vec<Request<K, V>>,
    batches_in_flight: usize,
    /// The users of a batch that failed. Their requests are done alone until it is known whose request was the
    /// cause; the number counts those that are being done.
    individual_users: HashMap<Uuid, usize>,
}

impl<K, V> Clone for Coalescer<K, V> {
    fn clone(&self) -> Self {
        Self { work: self.work.clone(), user: self.user, state: self.state.clone() }
    }
}

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Coalescer<K, V> {
    /// `work` gives a result for each key that it is given, in their order; `user` says whose request a key
    /// is. When the work fails, each request is done once more alone, since the reason may be one of them;
    /// so what is done twice has to be as if done once. Not when it is [`Error::Unavailable`]: that concerns
    /// all of them.
    pub fn new<F>(work: impl Fn(Arc<[K]>, Mode) -> F + Send + Sync + 'static, user: fn(&K) -> Uuid) -> Self
    where
        F: Future<Output = Result<Vec<V>>> + Send + 'static,
    {
        let state = State { waiting: Vec::new(), batches_in_flight: 0, individual_users: HashMap::new() };
        let work = move |keys, mode| work(keys, mode).boxed();
        Self { work: Arc::new(work), user, state: Arc::new(Mutex::new(state)) }
    }

    /// Has a request answered, now or with the next batch.
    pub async fn submit(&self, key: K) -> Result<V> {
        let (reply, receiver) = oneshot::channel();
        self.enqueue(key, reply);
        let late = |_| Error::unavailable(anyhow!("no reply of a batch in time"));
        let receiver = tokio::time::timeout(REPLY_TIMEOUT, receiver).await.map_err(late)?;
        receiver.unwrap_or_else(|_| Err(Error::internal(anyhow!("a batch panicked"))))
    }

    /// Begins to answer a request, or puts it where the next batch finds it.
    fn enqueue(&self, key: K, reply: oneshot::Sender<Result<V>>) {
        let mut state = self.state();
        if !state.individual_users.is_empty() && state.individual_users.contains_key(&(self.user)(&key)) {
            drop(state);
            self.run_individually(key, reply);
        } else {
            state.waiting.push((key, reply));
            drop(state);
            self.start_next_batch();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().expect("no holder panics")
    }

    /// Begins a batch, if a request waits and not too many batches are running.
    fn start_next_batch(&self) {
        let batch: Vec<_> = {
            let mut state = self.state();
            // Requests that were given up are removed. They are the oldest, so they stand at the front.
            if state.waiting.first().is_some_and(|(_, reply)| reply.is_closed()) {
                state.waiting.retain(|(_, reply)| !reply.is_closed());
            }
            let is_free = state.batches_in_flight < MAX_IN_FLIGHT;
            let Some(power) = state.waiting.len().checked_ilog2().filter(|_| is_free) else { return };
            state.batches_in_flight += 1;
            state.waiting.drain(..MAX_BATCH_SIZE.min(1 << power)).collect()
        };
        let guard = InFlightGuard(self.clone());
        tokio::spawn(async move { guard.0.run_batch(batch).await });
    }

    async fn run_batch(&self, batch: Vec<Request<K, V>>) {
        let (keys, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let keys: Arc<[K]> = keys.into();
        match (self.work)(keys.clone(), Mode::Shared).await {
            Ok(results) => replies.into_iter().zip(results).for_each(|(reply, result)| {
                // The request may have been given up, and then its answer is not received.
                let _ = reply.send(Ok(result));
            }),
            // If the batch had only one request, its error is final, unless it was a lock that may be free later.
            Err(error) if is_final(&error, keys.len()) => replies.into_iter().for_each(|reply| {
                let _ = reply.send(Err(error.clone()));
            }),
            Err(_) => {
                for (key, reply) in keys.iter().cloned().zip(replies) {
                    self.run_individually(key, reply);
                }
            }
        }
    }

    /// Does one request alone, outside the batches, so that it may wait without keeping others waiting.
    fn run_individually(&self, key: K, reply: oneshot::Sender<Result<V>>) {
        let guard = IndividualGuard { user: (self.user)(&key), coalescer: self.clone() };
        *self.state().individual_users.entry(guard.user).or_default() += 1;
        tokio::spawn(async move {
            let done = (guard.coalescer.work)([key].into(), Mode::Individual).await;
            let nothing = || Error::internal(anyhow!("no result for a request"));
            let _ = reply.send(done.and_then(|results| results.into_iter().next().ok_or_else(nothing)));
            drop(guard);
        });
    }
}

/// Whether an error of a batch is the answer to each of its requests.
fn is_final(error: &Error, requests: usize) -> bool {
    match error {
        Error::Unavailable(_) => true,
        Error::Locked => false,
        _ => requests == 1,
    }
}

/// A running batch. However it ends, the next one begins.
struct InFlightGuard<K: Clone + Send + Sync + 'static, V: Send + 'static>(Coalescer<K, V>);

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Drop for InFlightGuard<K, V> {
    fn drop(&mut self) {
        self.0.state().batches_in_flight -= 1;
        self.0.start_next_batch();
    }
}

/// A request that is done alone.
struct IndividualGuard<K: Clone + Send + Sync + 'static, V: Send + 'static> {
    user: Uuid,
    coalescer: Coalescer<K, V>,
}

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Drop for IndividualGuard<K, V> {
    fn drop(&mut self) {
        let mut state = self.coalescer.state();
        if let Some(count) = state.individual_users.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                state.individual_users.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Doubles numbers, each batch in a second, and notes the batches. It panics at 13, and fails at 17,
    /// after an hour if that is alone. Each number is a user of its own.
    fn doubling() -> (Coalescer<u32, u32>, Batches) {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let (noted, busy) = (batches.clone(), Arc::new(AtomicUsize::new(0)));
        let work = move |keys: Arc<[u32]>, mode| {
            noted.lock().expect("no holder panics").push(keys.to_vec());
            let busy = busy.clone();
            async move {
                if mode == Mode::Shared {
                    assert!(busy.fetch_add(1, Ordering::SeqCst) < MAX_IN_FLIGHT, "too many at a time");
                }
                let is_slow = *keys == [17] && mode == Mode::Individual;
                tokio::time::sleep(if is_slow { 3600 * SECOND } else { SECOND }).await;
                if mode == Mode::Shared {
                    busy.fetch_sub(1, Ordering::SeqCst);
                }
                assert!(!keys.contains(&13), "unlucky");
                if keys.contains(&17) { Err(Error::Locked) } else { Ok(keys.iter().map(|n| 2 * n).collect()) }
            }
        };
        (Coalescer::new(work, |number| Uuid::from_u128(u128::from(*number))), batches)
    }

    #[tokio::test(start_paused = true)]
    async fn each_gets_its_own_answer_and_what_arrives_together_is_done_together() {
        let (coalescer, batches) = doubling();
        let replies = join_all((100..200).map(|number| coalescer.submit(number))).await;
        let replies: Vec<u32> = replies.into_iter().map(|reply| reply.expect("it was done")).collect();
        assert_eq!(replies, (100..200).map(|number| 2 * number).collect::<Vec<_>>());
        let sizes: Vec<usize> = batches.lock().expect("no holder panics").iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 1, 1, 1, 32, 32, 32]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_panics_fails_alone() {
        let (coalescer, _) = doubling();
        for _ in 0..2 * MAX_IN_FLIGHT {
            assert!(matches!(coalescer.submit(13).await, Err(Error::Internal(_))));
        }
        assert_eq!(coalescer.submit(4).await.expect("it was done"), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_fails_does_not_fail_or_delay_the_others() {
        let (coalescer, _) = doubling();
        // The first four go alone.
        let numbers = [1, 2, 3, 4, 5, 17, 6, 7];
        let begun = tokio::time::Instant::now();
        let replies = join_all(numbers.map(|number| {
            let coalescer = &coalescer;
            async move { (number, coalescer.submit(number).await, begun.elapsed()) }
        }));
        for (number, reply, after) in replies.await {
            match number {
                17 => assert!(reply.is_err()),
                _ => assert!(reply.expect("it was done") == 2 * number && after <= 3 * SECOND, "{after:?}"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_a_user_who_waits_for_a_lock_stay_out_of_the_batches_of_others() {
        let (coalescer, batches) = doubling();
        let blocked = (0..40).map(|_| coalescer.submit(17));
        let others = async {
            // By now the first batch has failed, and 17 is done alone.
            tokio::time::sleep(3 * SECOND).await;
            let begun = tokio::time::Instant::now();
            let more = join_all((0..40).map(|_| coalescer.submit(17)));
            let others = async {
                let replies = join_all((200..240).map(|number| coalescer.submit(number))).await;
                assert!(replies.iter().all(Result::is_ok) && begun.elapsed() <= 3 * SECOND);
            };
            futures_util::join!(more, others);
        };
        futures_util::join!(join_all(blocked), others);
        let batches = batches.lock().expect("no holder panics");
        assert!(batches.iter().all(|batch| !batch.contains(&200) || !batch.contains(&17)), "{batches:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let (coalescer, _) = doubling();
        let reply = coalescer.submit(17).await;
        assert!(matches!(reply, Err(Error::Unavailable(_))));
        assert_eq!(coalescer.submit(2).await.expect("it was done"), 4);
    }
}
