//! The turns of the operations of one stream: at most one of them executes or has an event that the network
//! has not taken yet. So nothing queues, and a client that reads slowly gets fewer events.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::{Event, Subscription};

/// The right to execute and to send, until it is dropped.
pub type Turn = OwnedSemaphorePermit;

/// The turns of a stream. They are given in the order in which they are asked for.
#[derive(Clone)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Waits for the turn.
    pub async fn take(&self) -> Turn {
        self.0.clone().acquire_owned().await.expect("the semaphore is never closed")
    }
}

/// An event, the subscription that reads the next one, and the turn until the event has been sent.
pub struct NextEvent {
    pub subscription: Box<Subscription>,
    pub event: Event,
    pub turn: Turn,
}

/// Waits for the next event of a subscription and reads it. Only the waiting part stays in memory.
pub async fn next_event(mut subscription: Box<Subscription>, turns: Turns) -> NextEvent {
    loop {
        subscription.ready().await;
        let turn = turns.take().await;
        let read = async move {
            let event = subscription.read().await;
            (subscription, event)
        };
        let ((returned, event), turn) = in_turn(turn, read.boxed()).await;
        subscription = returned;
        if let Some(event) = event {
            return NextEvent { subscription, event, turn };
        }
    }
}

/// Executes in a task of its own, which keeps the turn until it ends, also when the result is not awaited any
/// more: otherwise a client that ends its operations early could have any number of them executed at a time.
/// The work is boxed, so that the future that waits for it is small.
pub async fn in_turn<T: Send + 'static>(turn: Turn, work: BoxFuture<'static, T>) -> (T, Turn) {
    match tokio::spawn(async move { (work.await, turn) }).await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => resume_unwind(failed.into_panic()),
        // The process ends.
        Err(_) => pending().await,
    }
}
