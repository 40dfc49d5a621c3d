//! Small batches: what comes while others of its kind are being done waits, and is done together with
//! all that waits. Nobody waits for company: what comes when little is going on is done at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::oneshot;

use crate::domain::{Error, Result};

/// So many batches are on their way at a time, each on one connection.
const RUNNING: usize = 4;
/// The largest batch. Sizes are powers of two: each is a statement of its own to prepare.
const LARGEST: usize = 32;
/// For an answer, from the moment of asking.
const PATIENCE: Duration = Duration::from_secs(10);

type Work<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Vec<Result<V>>> + Send + Sync;
type Asked<K, V> = (K, oneshot::Sender<Result<V>>);

/// Does one kind of work, in batches.
pub struct Batcher<K, V> {
    work: Arc<Work<K, V>>,
    state: Arc<Mutex<State<K, V>>>,
}

struct State<K, V> {
    waiting: Vec<Asked<K, V>>,
    running: usize,
}

impl<K, V> Clone for Batcher<K, V> {
    fn clone(&self) -> Self {
        Self { work: self.work.clone(), state: self.state.clone() }
    }
}

impl<K: Send + 'static, V: Send + 'static> Batcher<K, V> {
    /// `work` gives one result for each that it is given, in their order.
    pub fn new<F>(work: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Vec<Result<V>>> + Send + 'static,
    {
        let state = State { waiting: Vec::new(), running: 0 };
        Self { work: Arc::new(move |some| work(some).boxed()), state: Arc::new(Mutex::new(state)) }
    }

    /// Has something done, now or with the next batch.
    pub async fn ask(&self, it: K) -> Result<V> {
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
            let Some(power) = state.waiting.len().checked_ilog2().filter(|_| state.running < RUNNING) else {
                return;
            };
            state.running += 1;
            state.waiting.drain(..LARGEST.min(1 << power)).collect()
        };
        let running = Running(self.clone());
        tokio::spawn(async move {
            let (some, answers): (Vec<_>, Vec<_>) = some.into_iter().unzip();
            let results = (running.0.work)(some).await;
            for (answer, result) in answers.into_iter().zip(results) {
                // Who asked may have gone.
                let _ = answer.send(result);
            }
        });
    }
}

/// A batch on its way. However it ends, the next one begins.
struct Running<K: Send + 'static, V: Send + 'static>(Batcher<K, V>);

impl<K: Send + 'static, V: Send + 'static> Drop for Running<K, V> {
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

    /// Doubles numbers, each batch in a second; panics at 13. And the sizes of its batches.
    fn doubling() -> (Batcher<u32, u32>, Arc<Mutex<Vec<usize>>>) {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let (noted, busy) = (sizes.clone(), Arc::new(AtomicUsize::new(0)));
        let batcher = Batcher::new(move |some: Vec<u32>| {
            noted.lock().expect("nobody panics with it").push(some.len());
            let busy = busy.clone();
            async move {
                assert!(busy.fetch_add(1, Ordering::SeqCst) < RUNNING, "too many at a time");
                tokio::time::sleep(Duration::from_secs(1)).await;
                busy.fetch_sub(1, Ordering::SeqCst);
                assert!(!some.contains(&13), "unlucky");
                some.into_iter().map(|number| Ok(2 * number)).collect()
            }
        });
        (batcher, sizes)
    }

    #[tokio::test(start_paused = true)]
    async fn each_gets_its_own_answer_and_what_comes_together_is_done_together() {
        let (batcher, sizes) = doubling();
        let answers = join_all((100..200).map(|number| batcher.ask(number))).await;
        let answers: Vec<u32> = answers.into_iter().map(|answer| answer.expect("it was done")).collect();
        assert_eq!(answers, (100..200).map(|number| 2 * number).collect::<Vec<_>>());
        assert_eq!(*sizes.lock().expect("nobody panics with it"), [1, 1, 1, 1, 32, 32, 32]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_panics_takes_nobody_else_along() {
        let (batcher, _) = doubling();
        for _ in 0..2 * RUNNING {
            assert!(matches!(batcher.ask(13).await, Err(Error::Internal(_))));
        }
        assert_eq!(batcher.ask(4).await.expect("it was done"), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let silent = Batcher::new(|_: Vec<u32>| std::future::pending::<Vec<Result<u32>>>());
        assert!(matches!(silent.ask(1).await, Err(Error::Unavailable(_))));
    }
}
