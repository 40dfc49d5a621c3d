//! A running subscription: executes its operation as a query, once for each event, after the cursor of the
//! event before.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Name, Value};
use tokio::time::Instant;

use crate::api::event_read::{EventPage, EventRead};
use crate::api::operations::Operations;
use crate::auth::{ClientInfo, Credential};
use crate::domain::ChangeCursor;
use crate::graphql::{ErrorCode, Execution, Operation, OperationSummary, code_name};
use crate::service::FeedListener;

/// The maximum size of an event with several changes.
const MAX_EVENT_BYTES: usize = 1 << 20;
/// The bytes of an event around its data and its errors.
const ENVELOPE_BYTES: usize = 256;
/// The pause between two events, unless the last one took longer. Changes within it share an event.
const MIN_PAUSE: Duration = Duration::from_millis(50);
/// The delay before the database is tried again: the first one and the longest one.
const RETRY_DELAYS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(1));
/// The attempts after which an event is sent although a part of it is not available.
const MAX_FAILURES: u32 = 3;

/// What a subscription sends.
pub enum Event {
    /// A result, and the cursor at its end.
    Next { execution: Execution, cursor: String },
    /// The operation ends: it was refused before execution, or its root field has failed. UNAUTHENTICATED also
    /// ends the stream.
    Failed(Execution),
}

/// A running subscription of one client.
pub struct Subscription {
    operations: Arc<Operations>,
    /// The operation, without the values of its variables.
    operation: Operation,
    variables: Box<[(Name, Value)]>,
    credential: Credential,
    client: ClientInfo,
    listener: FeedListener,
    last_event_id: Option<String>,
    /// The cursor of the last event; None before the first.
    cursor: Option<ChangeCursor>,
    is_due: bool,
    /// The earliest time of the next event.
    not_before: Instant,
    /// The attempts since the last page that have failed because something was not available.
    failures: u32,
    /// The number of changes that fit into an event; None for as many as the client asked for.
    max_size: Option<usize>,
}

/// How an execution ended.
enum Outcome {
    Page(EventPage),
    /// The page is too large for an event; half of it may fit.
    TooLarge(EventPage),
    /// The database cannot be reached, or no memory is left. The page can be read later; half of it may be easier.
    Unavailable(Option<EventPage>),
    Failed,
}

impl Subscription {
    /// The client that subscribed.
    pub fn client(&self) -> &ClientInfo {
        &self.client
    }

    pub(super) fn new(
        operations: Arc<Operations>,
        mut operation: Operation,
        credential: Credential,
        client: ClientInfo,
        listener: FeedListener,
        last_event_id: Option<String>,
    ) -> Self {
        Self {
            operations,
            variables: operation.take_variables(),
            operation,
            credential,
            client,
            listener,
            last_event_id,
            cursor: None,
            is_due: true,
            not_before: Instant::now(),
            failures: 0,
            max_size: None,
        }
    }

    /// What the log may contain of the operation.
    pub fn summary(&self) -> &OperationSummary {
        self.operation.summary()
    }

    /// Waits until the next event can be read: the first one immediately, later ones when something may have
    /// changed. Dropping the future loses nothing.
    pub async fn ready(&mut self) {
        if !self.is_due {
            let head = self.cursor.map_or(0, |cursor| cursor.position);
            self.listener.changed(head).await;
            self.is_due = true;
        }
        // The timer rounds up to milliseconds, even a time in the past.
        if Instant::now() < self.not_before {
            tokio::time::sleep_until(self.not_before).await;
        }
    }

    /// Reads an event. None when there is nothing to report, or when the database cannot be reached; then it is
    /// tried again after [`Self::ready`].
    pub async fn read(&mut self) -> Option<Event> {
        let begun = Instant::now();
        let (mut execution, outcome) = self.read_page().await;
        match outcome {
            Outcome::Page(page) => {
                let (is_first, now) = (self.cursor.is_none(), Instant::now());
                self.advance(page);
                self.not_before = if page.has_more { now } else { now + MIN_PAUSE.max(now - begun) };
                let event = Event::Next { execution, cursor: page.cursor.encode() };
                (page.changes > 0 || is_first).then_some(event)
            }
            Outcome::TooLarge(_) | Outcome::Unavailable(_) => {
                self.failures += 1;
                self.not_before = Instant::now() + self.retry_delay();
                None
            }
            Outcome::Failed => {
                execution.response.data = Value::Null;
                Some(Event::Failed(execution))
            }
        }
    }

    /// Reads the first event for a transport that reports when it cannot be read.
    pub async fn read_first(&mut self) -> Event {
        let (execution, outcome) = self.read_page().await;
        match outcome {
            Outcome::Page(page) => {
                self.advance(page);
                Event::Next { execution, cursor: page.cursor.encode() }
            }
            _ => Event::Failed(execution),
        }
    }

    /// Continues after a page.
    fn advance(&mut self, page: EventPage) {
        self.cursor = Some(page.cursor);
        self.last_event_id = None;
        self.is_due = page.has_more;
        self.failures = 0;
        // A backlog of large tasks is not tried with the full size at each event.
        self.max_size = self.max_size.filter(|_| page.has_more).map(|size| size * 2);
    }

    /// The delay before the next attempt, which grows with the failures in a row.
    fn retry_delay(&self) -> Duration {
        let (first, longest) = RETRY_DELAYS;
        (first * 2_u32.pow(self.failures.clamp(1, 4) - 1)).min(longest)
    }

    /// Reads a page, and a smaller one in its place while the page is too large for an event.
    async fn read_page(&mut self) -> (Execution, Outcome) {
        self.listener.mark_seen();
        loop {
            let share = self.operations.executor.response_share(self.client.counted_address());
            let event = EventRead::new(self.cursor, self.last_event_id.clone(), self.max_size);
            let (operation, credential) =
                (self.operation.with_variables(&self.variables), self.credential.clone());
            let client = self.client.clone();
            let executed =
                self.operations.execute(operation, share, credential, client, Some(Box::new(event)));
            let (mut execution, context) = executed.await;
            let page = context.event().and_then(EventRead::recorded);
            match outcome(&mut execution, page, self.failures) {
                Outcome::TooLarge(page) => self.max_size = Some(page.changes.div_ceil(2)),
                Outcome::Unavailable(Some(page)) if page.changes > 1 => {
                    self.max_size = Some(page.changes.div_ceil(2));
                    return (execution, Outcome::Unavailable(Some(page)));
                }
                outcome => return (execution, outcome),
            }
        }
    }
}

/// How an execution has ended, after `failures` failed attempts. The data of a page are written as JSON, to know
/// their size.
fn outcome(execution: &mut Execution, page: Option<EventPage>, failures: u32) -> Outcome {
    let errors = &execution.response.errors;
    let has = |code: ErrorCode| errors.iter().any(|error| code_name(error) == Some(code.name()));
    let is_temporary = has(ErrorCode::Timeout) || has(ErrorCode::ServiceUnavailable);
    let has_data = execution.response.data != Value::Null;
    match page {
        Some(page) if has(ErrorCode::QueryTooComplex) && page.changes > 1 => Outcome::TooLarge(page),
        // What fails each time in a part of a single task is reported with the rest of the event.
        _ if is_temporary && !(has_data && failures >= MAX_FAILURES) => Outcome::Unavailable(page),
        // Without data the client would miss the changes of this page.
        Some(page) if has_data => {
            let bytes = execution.write_as_json() + ENVELOPE_BYTES;
            if bytes > MAX_EVENT_BYTES && page.changes > 1 {
                Outcome::TooLarge(page)
            } else {
                Outcome::Page(page)
            }
        }
        _ => Outcome::Failed,
    }
}
