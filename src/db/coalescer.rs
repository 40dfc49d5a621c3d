//! Small batches: what comes while others of its kind are being done waits, and is done together with
//! all that waits. Nobody waits for company: what comes when little is going on is done at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, StreamExt};
use tokio::sync::oneshot;

use crate::domain::{Error, Result};

/// So many batches are on their way at a time; and so many of the things in one, when they are done alone.
const RUNNING: usize = 4;
/// The largest batch. Sizes are powers of two: each is a statement of its own to prepare.
const LARGEST: usize = 32;
/// For an answer, from the moment of asking.
const PATIENCE: Duration = Duration::from_secs(10);

type Work<K, V> = dyn Fn(Arc<[K]>) -> BoxFuture<'static, Result<Vec<V>>> + Send + Sync;
type Asked<K, V> = (K, oneshot::Sender<Result<V>>);

/// Does one kind of work, in batches.
pub struct Coalescer<K, V> {
    work: Arc<Work<K, V>>,
    state: Arc<Mutex<State<K, V>>>,
}

struct State<K, V> {
    waiting: Vec<Asked<K, V>>,
    running: usize,
}

impl<K, V> Clone for Coalescer<K, V> {
    fn clone(&self) -> Self {
        Self { work: self.work.clone(), state: self.state.clone() }
    }
}

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Coalescer<K, V> {
    /// `work` gives a result for each thing that it is given, in their order. When it fails, each is done
    /// once more alone, since the reason may be one of them; so what is done twice has to be as if done
    /// once. Not when it is [`Error::Unavailable`]: that goes for all of them.
    pub fn new<F>(work: impl Fn(Arc<[K]>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<V>>> + Send + 'static,
    {
        let state = State { waiting: Vec::new(), running: 0 };
        Self { work: Arc::new(move |some| work(some).boxed()), state: Arc::new(Mutex::new(state)) }
    }

    /// Has something done, now or with the next batch.
    pub async fn submit(&self, it: K) -> Result<V> {
        let (answer, answered) = oneshot::channel();
        self.state.lock().expect("no holder panics").waiting.push((it, answer));
        self.go_on();
        let late = |_| Error::unavailable(anyhow!("no answer of a batch in time"));
        let answered = tokio::time::timeout(PATIENCE, answered).await.map_err(late)?;
        answered.unwrap_or_else(|_| Err(Error::internal(anyhow!("a batch panicked"))))
    }

    /// Begins a batch, if there is something to do and not too much going on.
    fn go_on(&self) {
        let some: Vec<_> = {
            let mut state = self.state.lock().expect("no holder panics");
            // Who has lost patience was told that it is not done. They came first.
            if state.waiting.first().is_some_and(|(_, answer)| answer.is_closed()) {
                state.waiting.retain(|(_, answer)| !answer.is_closed());
            }
            let Some(power) = state.waiting.len().checked_ilog2().filter(|_| state.running < RUNNING) else {
                return;
            };
            state.running += 1;
            state.waiting.drain(..LARGEST.min(1 << power)).collect()
        };
        let running = Running(self.clone());
        tokio::spawn(async move { running.0.run(some).await });
    }

    async fn run(&self, some: Vec<Asked<K, V>>) {
        let (some, answers): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        let some: Arc<[K]> = some.into();
        let results: Vec<Result<V>> = match (self.work)(some.clone()).await {
            Ok(results) => results.into_iter().map(Ok).collect(),
            Err(error) if some.len() == 1 || matches!(error, Error::Unavailable(_)) => {
                some.iter().map(|_| Err(error.clone())).collect()
            }
            Err(_) => return self.run_alone(&some, answers).await,
        };
        answers.into_iter().zip(results).for_each(give);
    }

    /// Does each by itself, and answers it as soon as it is done.
    async fn run_alone(&self, some: &[K], answers: Vec<oneshot::Sender<Result<V>>>) {
        let each = stream::iter(some.iter().zip(answers));
        each.for_each_concurrent(RUNNING, |(it, answer)| async {
            let done = (self.work)([it.clone()].into()).await;
            let nothing = || Error::internal(anyhow!("no result for one thing"));
            give((answer, done.and_then(|results| results.into_iter().next().ok_or_else(nothing))));
        })
        .await;
    }
}

/// Answers. Who asked may have gone, and then nobody needs to hear it.
fn give<V>((answer, result): (oneshot::Sender<Result<V>>, Result<V>)) {
    let _ = answer.send(result);
}

/// A batch on its way. However it ends, the next one begins.
struct Running<K: Clone + Send + Sync + 'static, V: Send + 'static>(Coalescer<K, V>);

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Drop for Running<K, V> {
    fn drop(&mut self) {
        self.0.state.lock().expect("no holder panics").running -= 1;
        self.0.go_on();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Doubles numbers, each batch in a second, and notes the batches. Panics at 13, and fails at 17, for
    /// which it needs an hour alone.
    fn doubling() -> (Coalescer<u32, u32>, Batches) {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let (noted, busy) = (batches.clone(), Arc::new(AtomicUsize::new(0)));
        let batcher = Coalescer::new(move |some: Arc<[u32]>| {
            noted.lock().expect("nobody panics with it").push(some.to_vec());
            let busy = busy.clone();
            async move {
                assert!(busy.fetch_add(1, Ordering::SeqCst) < RUNNING, "too many at a time");
                tokio::time::sleep(if *some == [17] { 3600 * SECOND } else { SECOND }).await;
                busy.fetch_sub(1, Ordering::SeqCst);
                assert!(!some.contains(&13), "unlucky");
                if some.contains(&17) {
                    Err(Error::Timeout)
                } else {
                    Ok(some.iter().map(|n| 2 * n).collect())
                }
            }
        });
        (batcher, batches)
    }

    #[tokio::test(start_paused = true)]
    async fn each_gets_its_own_answer_and_what_comes_together_is_done_together() {
        let (batcher, batches) = doubling();
        let answers = join_all((100..200).map(|number| batcher.submit(number))).await;
        let answers: Vec<u32> = answers.into_iter().map(|answer| answer.expect("it was done")).collect();
        assert_eq!(answers, (100..200).map(|number| 2 * number).collect::<Vec<_>>());
        let sizes: Vec<usize> = batches.lock().expect("nobody panics with it").iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 1, 1, 1, 32, 32, 32]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_panics_takes_nobody_else_along() {
        let (batcher, _) = doubling();
        for _ in 0..2 * RUNNING {
            assert!(matches!(batcher.submit(13).await, Err(Error::Internal(_))));
        }
        assert_eq!(batcher.submit(4).await.expect("it was done"), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_is_its_own_matter() {
        let (batcher, _) = doubling();
        // The first four go alone.
        let numbers = [1, 2, 3, 4, 5, 17, 6, 7];
        let begun = tokio::time::Instant::now();
        let answers = join_all(numbers.map(|number| {
            let batcher = &batcher;
            async move { (number, batcher.submit(number).await, begun.elapsed()) }
        }));
        for (number, answer, after) in answers.await {
            match number {
                17 => assert!(answer.is_err()),
                _ => assert!(answer.expect("it was done") == 2 * number && after <= 3 * SECOND, "{after:?}"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_and_what_was_given_up_is_not_done() {
        let (batcher, batches) = doubling();
        let slow = join_all([17; RUNNING].map(|number| batcher.submit(number)));
        let late = async {
            tokio::time::sleep(SECOND).await;
            batcher.submit(1).await
        };
        let (slow, late) = futures_util::join!(slow, late);
        assert!(slow.iter().chain([&late]).all(|answer| matches!(answer, Err(Error::Unavailable(_)))));
        tokio::time::sleep(3600 * SECOND).await;
        assert_eq!(batcher.submit(2).await.expect("it was done"), 4);
        assert!(!batches.lock().expect("nobody panics with it").concat().contains(&1));
    }
}
