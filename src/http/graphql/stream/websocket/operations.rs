//! The open operations of one WebSocket. All of them run in the task of the socket, and take turns.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::{BoxFuture, FutureExt};

use crate::api::{Started, Subscription};
use crate::auth::Credential;
use crate::graphql::{Execution, MutationPolicy};
use crate::http::graphql::request;
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::stream::turns::{NextEvent, Turn, Turns, in_turn, next_event};
use crate::http::graphql::stream::websocket::client::Client;
use crate::http::shared::Shared;

/// What every operation of a WebSocket needs.
pub struct OperationContext {
    pub state: Arc<Shared>,
    pub client: Client,
    pub credential: Credential,
    pub last_event_id: Option<String>,
}

/// The open operations.
pub struct Operations {
    context: Arc<OperationContext>,
    turns: Turns,
    open: Vec<Operation>,
}

struct Operation {
    id: String,
    progress: BoxFuture<'static, Progress>,
}

/// The result of an operation so far.
pub enum Progress {
    /// A query has been executed, or an operation refused. The turn is over when the result has been sent.
    Executed(Execution, Turn),
    /// The request was refused before its document was read.
    Refused(RequestError),
    /// A subscription has an event.
    Event(NextEvent),
}

impl Operations {
    pub fn new(context: OperationContext) -> Self {
        Self { context: Arc::new(context), turns: Turns::new(), open: Vec::new() }
    }

    /// The number of open operations.
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// Whether an operation with this id is open.
    pub fn contains(&self, id: &str) -> bool {
        self.open.iter().any(|operation| operation.id == id)
    }

    /// Begins an operation with the payload of `subscribe`.
    pub fn begin(&mut self, id: String, payload: String) {
        let progress = begin(self.context.clone(), self.turns.clone(), payload).boxed();
        self.open.push(Operation { id, progress });
    }

    /// Goes on with a subscription after an event.
    pub fn resume(&mut self, id: String, subscription: Box<Subscription>) {
        let progress = next_event(subscription, self.turns.clone()).map(Progress::Event).boxed();
        self.open.push(Operation { id, progress });
    }

    /// Ends an operation, if it is open.
    pub fn end(&mut self, id: &str) {
        self.open.retain(|operation| operation.id != id);
    }

    /// Waits for the next result of an operation, and takes the operation out of the list.
    pub async fn next(&mut self) -> (String, Progress) {
        let (index, progress) = poll_fn(|context| {
            for (index, operation) in self.open.iter_mut().enumerate() {
                if let Poll::Ready(progress) = operation.progress.poll_unpin(context) {
                    return Poll::Ready((index, progress));
                }
            }
            Poll::Pending
        })
        .await;
        (self.open.swap_remove(index).id, progress)
    }
}

/// Executes a query, or begins a subscription and waits for its first event.
async fn begin(context: Arc<OperationContext>, turns: Turns, payload: String) -> Progress {
    let turn = turns.take().await;
    let start = async move {
        let OperationContext { state, client, credential, last_event_id } = &*context;
        let (mut permit, address) = (None, client.info.counted_address());
        let mut request = request::from_json(state, payload.as_bytes(), &mut permit, address).await?;
        drop(payload);
        request.mutations = MutationPolicy::Refused;
        request.request_id.clone_from(&client.request_id);
        request.last_event_id.clone_from(last_event_id);
        Ok(state.api.start(request, credential.clone(), client.info.clone()).await)
    };
    let (started, turn) = in_turn(turn, start.boxed()).await;
    match started {
        Err(error) => Progress::Refused(error),
        Ok(Started::Executed(execution, _)) => Progress::Executed(execution, turn),
        Ok(Started::Subscribed(subscription)) => {
            drop(turn);
            Progress::Event(next_event(subscription, turns).await)
        }
    }
}
