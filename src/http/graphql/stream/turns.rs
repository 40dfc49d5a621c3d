//! The turns of the operations of one stream: at most one of them executes or has an event that the network
//! has not taken yet. So nothing queues, and a client that reads slowly gets fewer events.

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

/// Waits for the next event of a subscription and reads it. Only the waiting part stays in memory: what reads
/// is boxed, since it is large.
pub fn next_event(mut subscription: Box<Subscription>, turns: Turns) -> BoxFuture<'static, NextEvent> {
    async move {
        loop {
            subscription.ready().await;
            let turn = turns.take().await;
            if let Some(event) = Box::pin(subscription.read()).await {
                return NextEvent { subscription, event, turn };
            }
        }
    }
    .boxed()
}
