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
    Alone,
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
    running: usize,
    /// The users of a batch that failed. Their requests are done alone until it is known whose request was the
    /// cause; the number counts those that are being done.
    alone: HashMap<Uuid, usize>,
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
        let state = State { waiting: Vec::new(), running: 0, alone: HashMap::new() };
        let work = move |keys, mode| work(keys, mode).boxed();
        Self { work: Arc::new(work), user, state: Arc::new(Mutex::new(state)) }
    }

    /// Has a request answered, now or with the next batch.
    pub async fn submit(&self, key: K) -> Result<V> {
        let (answer, answered) = oneshot::channel();
        self.begin(key, answer);
        let late = |_| Error::unavailable(anyhow!("no answer of a batch in time"));
        let answered = tokio::time::timeout(REPLY_TIMEOUT, answered).await.map_err(late)?;
        answered.unwrap_or_else(|_| Err(Error::internal(anyhow!("a batch panicked"))))
    }

    /// Begins to answer a request, or puts it where the next batch finds it.
    fn begin(&self, key: K, answer: oneshot::Sender<Result<V>>) {
        let mut state = self.state();
        if !state.alone.is_empty() && state.alone.contains_key(&(self.user)(&key)) {
            drop(state);
            self.begin_separate(key, answer);
        } else {
            state.waiting.push((key, answer));
            drop(state);
            self.begin_batch();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().expect("no holder panics")
    }

    /// Begins a batch, if a request waits and not too many batches are running.
    fn begin_batch(&self) {
        let batch: Vec<_> = {
            let mut state = self.state();
            // Requests that were given up are removed. They are the oldest, so they stand at the front.
            if state.waiting.first().is_some_and(|(_, answer)| answer.is_closed()) {
                state.waiting.retain(|(_, answer)| !answer.is_closed());
            }
            let is_free = state.running < MAX_IN_FLIGHT;
            let Some(power) = state.waiting.len().checked_ilog2().filter(|_| is_free) else { return };
            state.running += 1;
            state.waiting.drain(..MAX_BATCH_SIZE.min(1 << power)).collect()
        };
        let running = InFlightGuard(self.clone());
        tokio::spawn(async move { running.0.run(batch).await });
    }

    async fn run(&self, batch: Vec<Request<K, V>>) {
        let (keys, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let keys: Arc<[K]> = keys.into();
        match (self.work)(keys.clone(), Mode::Shared).await {
            Ok(results) => answers.into_iter().zip(results).for_each(|(answer, result)| {
                // The request may have been given up, and then its answer is not received.
                let _ = answer.send(Ok(result));
            }),
            // If the batch had only one request, its error is final, unless it was a lock that may be free later.
            Err(error) if is_final(&error, keys.len()) => answers.into_iter().for_each(|answer| {
                let _ = answer.send(Err(error.clone()));
            }),
            Err(_) => {
                for (key, answer) in keys.iter().cloned().zip(answers) {
                    self.begin_separate(key, answer);
                }
            }
        }
    }

    /// Does one request alone, outside the batches, so that it may wait without keeping others waiting.
    fn begin_separate(&self, key: K, answer: oneshot::Sender<Result<V>>) {
        let alone = SeparateGuard { user: (self.user)(&key), coalescer: self.clone() };
        *self.state().alone.entry(alone.user).or_default() += 1;
        tokio::spawn(async move {
            let done = (alone.coalescer.work)([key].into(), Mode::Alone).await;
            let nothing = || Error::internal(anyhow!("no result for a request"));
            let _ = answer.send(done.and_then(|results| results.into_iter().next().ok_or_else(nothing)));
            drop(alone);
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
        self.0.state().running -= 1;
        self.0.begin_batch();
    }
}

/// A request that is done alone.
struct SeparateGuard<K: Clone + Send + Sync + 'static, V: Send + 'static> {
    user: Uuid,
    coalescer: Coalescer<K, V>,
}

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Drop for SeparateGuard<K, V> {
    fn drop(&mut self) {
        let mut state = self.coalescer.state();
        if let Some(count) = state.alone.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                state.alone.remove(&self.user);
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
                let is_slow = *keys == [17] && mode == Mode::Alone;
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
        let answers = join_all((100..200).map(|number| coalescer.submit(number))).await;
        let answers: Vec<u32> = answers.into_iter().map(|answer| answer.expect("it was done")).collect();
        assert_eq!(answers, (100..200).map(|number| 2 * number).collect::<Vec<_>>());
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
        let answers = join_all(numbers.map(|number| {
            let coalescer = &coalescer;
            async move { (number, coalescer.submit(number).await, begun.elapsed()) }
        }));
        for (number, answer, after) in answers.await {
            match number {
                17 => assert!(answer.is_err()),
                _ => assert!(answer.expect("it was done") == 2 * number && after <= 3 * SECOND, "{after:?}"),
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
                let answers = join_all((200..240).map(|number| coalescer.submit(number))).await;
                assert!(answers.iter().all(Result::is_ok) && begun.elapsed() <= 3 * SECOND);
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
        let answer = coalescer.submit(17).await;
        assert!(matches!(answer, Err(Error::Unavailable(_))));
        assert_eq!(coalescer.submit(2).await.expect("it was done"), 4);
    }
}
