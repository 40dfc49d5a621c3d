//! Coalesces concurrent requests of one kind into one statement, a batch. There is no timer. While fewer than
//! [`MAX_IN_FLIGHT`] batches are running, a request starts a batch; otherwise it waits for the end of one. If
//! the last batch had several requests, the next one starts only after the tasks that are ready have run.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::anyhow;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::domain::{Error, Result};

/// The number of batches of one kind that may run at the same time.
const MAX_IN_FLIGHT: usize = 4;
/// The maximum number of requests in a batch. Batch sizes are powers of two, because the database prepares a
/// separate statement for each size.
const MAX_BATCH_SIZE: usize = 32;
/// The maximum time that a request waits for its reply: two statements that use their whole timeout, and 2 s.
const REPLY_TIMEOUT: Duration = Duration::from_secs(12);

/// How the requests of a batch are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For several users. The statement waits only a short time for a lock, because one user may be the
    /// reason for the wait.
    Shared,
    /// For one request, within the connection share of its user.
    Individual,
}

type Work<K, V> = dyn Fn(Arc<[K]>, Mode) -> BoxFuture<'static, Result<Vec<V>>> + Send + Sync;
type Request<K, V> = (K, oneshot::Sender<Result<V>>);

/// Executes requests of one kind in batches.
pub struct Coalescer<K, V> {
    work: Arc<Work<K, V>>,
    user: fn(&K) -> Uuid,
    one_batch_per_user: bool,
    state: Arc<Mutex<State<K, V>>>,
}

struct State<K, V> {
    waiting: Vec<Request<K, V>>,
    batches_in_flight: usize,
    /// Whether one of these batches has not taken its requests yet.
    is_batch_starting: bool,
    /// Whether the last batch had several requests, so that the next one may have several too.
    had_several: bool,
    /// Users with a request from a failed batch that is now executed individually, and the number of these
    /// requests. Until they finish, new requests of these users are executed individually too.
    individual_users: HashMap<Uuid, usize>,
    /// The users of the running batches, each with the requests that wait for the end of the user's batch. Empty
    /// unless a user has only one batch.
    held_back: HashMap<Uuid, Vec<Request<K, V>>>,
}

impl<K, V> Clone for Coalescer<K, V> {
    fn clone(&self) -> Self {
        let Self { work, user, one_batch_per_user, state } = self;
        Self {
            work: work.clone(),
            user: *user,
            one_batch_per_user: *one_batch_per_user,
            state: state.clone(),
        }
    }
}

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Coalescer<K, V> {
    /// `work` returns one result for each key, in the order of the keys. `user` returns the user that a key
    /// belongs to. When a batch fails, each of its requests is executed once more individually, because one
    /// of them may have caused the failure; therefore repeating `work` must not change the outcome. A batch
    /// that fails with [`Error::Unavailable`] is not repeated, because that error concerns all of its
    /// requests.
    pub fn new<F>(work: impl Fn(Arc<[K]>, Mode) -> F + Send + Sync + 'static, user: fn(&K) -> Uuid) -> Self
    where
        F: Future<Output = Result<Vec<V>>> + Send + 'static,
    {
        let state = State {
            waiting: Vec::new(),
            batches_in_flight: 0,
            is_batch_starting: false,
            had_several: false,
            individual_users: HashMap::new(),
            held_back: HashMap::new(),
        };
        let work = move |keys, mode| work(keys, mode).boxed();
        Self { work: Arc::new(work), user, one_batch_per_user: false, state: Arc::new(Mutex::new(state)) }
    }

    /// The same coalescer, but at any time only one of the running batches has requests of a user. This is for
    /// statements that lock a row of each user: a second batch would only wait for the first one. If the row of a
    /// user is locked elsewhere, the requests of others wait for it in one batch at most.
    pub fn with_one_batch_per_user(self) -> Self {
        Self { one_batch_per_user: true, ..self }
    }

    /// Executes a request with the next batch.
    ///
    /// Errors: those of `work`; Unavailable when there is no reply within [`REPLY_TIMEOUT`]; Internal when
    /// `work` panics.
    pub async fn submit(&self, key: K) -> Result<V> {
        let (reply, receiver) = oneshot::channel();
        self.enqueue(key, reply);
        let late = |_| Error::unavailable(anyhow!("a batch did not reply in time"));
        let receiver = tokio::time::timeout(REPLY_TIMEOUT, receiver).await.map_err(late)?;
        receiver.unwrap_or_else(|_| Err(Error::internal(anyhow!("a batch panicked"))))
    }

    /// Adds a request to the waiting requests, and starts a batch for them if possible.
    fn enqueue(&self, key: K, reply: oneshot::Sender<Result<V>>) {
        let mut state = self.state();
        let user = (self.user)(&key);
        if !state.individual_users.is_empty() && state.individual_users.contains_key(&user) {
            drop(state);
            self.run_individually(key, reply);
        } else if let Some(held_back) = state.held_back.get_mut(&user) {
            held_back.push((key, reply));
        } else {
            state.waiting.push((key, reply));
            drop(state);
            self.start_next_batch();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().expect("no holder panics")
    }

    /// Starts a batch if requests are waiting, none is starting, and fewer than [`MAX_IN_FLIGHT`] are running.
    fn start_next_batch(&self) {
        let may_have_several = {
            let mut state = self.state();
            let is_full = state.batches_in_flight == MAX_IN_FLIGHT;
            if state.waiting.is_empty() || state.is_batch_starting || is_full {
                return;
            }
            state.is_batch_starting = true;
            state.batches_in_flight += 1;
            state.had_several
        };
        // The state is not locked any more: a runtime that is shutting down drops the task, and with it the
        // guard, before `spawn` returns.
        let mut guard = InFlightGuard { coalescer: self.clone(), users: Vec::new() };
        tokio::spawn(async move {
            // Other tasks that are ready may be about to make requests. When they are of other kinds, waiting for
            // them would only delay this batch.
            if may_have_several {
                tokio::task::yield_now().await;
            }
            let batch = guard.take_batch();
            if !batch.is_empty() {
                guard.coalescer.run_batch(batch).await;
            }
        });
    }

    async fn run_batch(&self, batch: Vec<Request<K, V>>) {
        let (keys, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let keys: Arc<[K]> = keys.into();
        match (self.work)(keys.clone(), Mode::Shared).await {
            Ok(results) => replies.into_iter().zip(results).for_each(|(reply, result)| {
                // `send` fails when the caller has timed out, which needs no handling.
                let _ = reply.send(Ok(result));
            }),
            // A single request has no other request to blame, so its error is final; unless a lock was not
            // free in time.
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

    /// Executes one request individually. It may wait for a lock without delaying the requests of other
    /// users.
    fn run_individually(&self, key: K, reply: oneshot::Sender<Result<V>>) {
        let guard = IndividualGuard { user: (self.user)(&key), coalescer: self.clone() };
        *self.state().individual_users.entry(guard.user).or_default() += 1;
        tokio::spawn(async move {
            let done = (guard.coalescer.work)([key].into(), Mode::Individual).await;
            let missing = || Error::internal(anyhow!("a batch returned no result for a request"));
            let _ = reply.send(done.and_then(|results| results.into_iter().next().ok_or_else(missing)));
            drop(guard);
        });
    }
}

/// Whether an error of a batch is the final result of each of its requests.
fn is_final(error: &Error, requests: usize) -> bool {
    match error {
        Error::Unavailable(_) => true,
        Error::Locked => false,
        _ => requests == 1,
    }
}

/// Counts one running batch. Dropping it starts the next batch, even when this one has panicked.
struct InFlightGuard<K: Clone + Send + Sync + 'static, V: Send + 'static> {
    coalescer: Coalescer<K, V>,
    /// The users whose further requests wait for the end of this batch.
    users: Vec<Uuid>,
}

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> InFlightGuard<K, V> {
    /// The requests of the batch that is starting. It is empty when the callers of all have timed out.
    fn take_batch(&mut self) -> Vec<Request<K, V>> {
        let user = self.coalescer.user;
        let mut state = self.coalescer.state();
        state.is_batch_starting = false;
        // The requests whose callers have timed out are removed.
        state.waiting.retain(|(_, reply)| !reply.is_closed());
        let size = state.waiting.len().checked_ilog2().map_or(0, |power| MAX_BATCH_SIZE.min(1 << power));
        state.had_several = size > 1;
        let batch: Vec<Request<K, V>> = state.waiting.drain(..size).collect();
        if self.coalescer.one_batch_per_user {
            let State { waiting, held_back, .. } = &mut *state;
            for (key, _) in &batch {
                if held_back.insert(user(key), Vec::new()).is_none() {
                    self.users.push(user(key));
                }
            }
            for request in std::mem::take(waiting) {
                match held_back.get_mut(&user(&request.0)) {
                    Some(held_back) => held_back.push(request),
                    None => waiting.push(request),
                }
            }
        }
        drop(state);
        self.coalescer.start_next_batch();
        batch
    }
}

impl<K: Clone + Send + Sync + 'static, V: Send + 'static> Drop for InFlightGuard<K, V> {
    fn drop(&mut self) {
        let mut individual = Vec::new();
        let mut state = self.coalescer.state();
        state.batches_in_flight -= 1;
        for user in &self.users {
            let held_back = state.held_back.remove(user).unwrap_or_default();
            if state.individual_users.contains_key(user) {
                individual.extend(held_back);
            } else {
                state.waiting.extend(held_back);
            }
        }
        drop(state);
        for (key, reply) in individual {
            self.coalescer.run_individually(key, reply);
        }
        self.coalescer.start_next_batch();
    }
}

/// Counts one request that is executed individually.
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
