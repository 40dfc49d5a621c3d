//! A running subscription: executes its operation as a query, once for each event, after the cursor of the
//! event before.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Value;
use tokio::time::Instant;

use crate::api::event::{Event as PageEvent, EventPage};
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
    operation: Operation,
    credential: Credential,
    client: ClientInfo,
    listener: FeedListener,
    last_event_id: Option<String>,
    /// The cursor of the last event; None before the first.
    cursor: Option<ChangeCursor>,
    is_due: bool,
    /// The earliest time of the next event.
    not_before: Instant,
    retry_delay: Duration,
}

/// How an execution ended.
enum Outcome {
    Page(EventPage),
    /// The page was too large for an event, or for the memory of responses.
    TooLarge(EventPage),
    /// The database cannot be reached, or no memory is left. The same page can be read later.
    Unavailable,
    Failed,
}

impl Subscription {
    pub(super) fn new(
        operations: Arc<Operations>,
        operation: Operation,
        credential: Credential,
        client: ClientInfo,
        listener: FeedListener,
        last_event_id: Option<String>,
    ) -> Self {
        Self {
            operations,
            operation,
            credential,
            client,
            listener,
            last_event_id,
            cursor: None,
            is_due: true,
            not_before: Instant::now(),
            retry_delay: RETRY_DELAYS.0,
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
        tokio::time::sleep_until(self.not_before).await;
    }

    /// Reads an event. None when there is nothing to report, or when the database cannot be reached; then it is
    /// tried again after [`Self::ready`].
    pub async fn read(&mut self) -> Option<Event> {
        let begun = Instant::now();
        let (mut execution, outcome) = self.read_page().await;
        match outcome {
            Outcome::Page(page) | Outcome::TooLarge(page) => {
                let is_first = self.cursor.replace(page.cursor).is_none();
                self.last_event_id = None;
                (self.is_due, self.retry_delay) = (page.has_more, RETRY_DELAYS.0);
                if page.changes == 0 && !is_first {
                    return None;
                }
                let now = Instant::now();
                self.not_before = if page.has_more { now } else { now + MIN_PAUSE.max(now - begun) };
                Some(Event::Next { execution, cursor: page.cursor.encode() })
            }
            Outcome::Unavailable => {
                self.not_before = Instant::now() + self.retry_delay;
                self.retry_delay = (self.retry_delay * 2).min(RETRY_DELAYS.1);
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
            Outcome::Page(page) | Outcome::TooLarge(page) => {
                self.cursor = Some(page.cursor);
                self.last_event_id = None;
                self.is_due = page.has_more;
                Event::Next { execution, cursor: page.cursor.encode() }
            }
            Outcome::Unavailable | Outcome::Failed => Event::Failed(execution),
        }
    }

    /// Reads a page, and a smaller one in its place while the page is too large for an event.
    async fn read_page(&mut self) -> (Execution, Outcome) {
        self.listener.mark_seen();
        let mut max_size = None;
        loop {
            let event = PageEvent::new(self.cursor, self.last_event_id.clone(), max_size);
            let (operation, credential) = (self.operation.clone(), self.credential.clone());
            let share = self.operations.executor.response_share(self.client.counted_address());
            let executed = self.operations.execute(
                operation,
                share,
                credential,
                self.client.clone(),
                Some(Box::new(event)),
            );
            let (mut execution, context) = executed.await;
            let page = context.event().and_then(PageEvent::recorded);
            match outcome(&mut execution, page) {
                Outcome::TooLarge(page) if page.changes > 1 => max_size = Some(page.changes.div_ceil(2)),
                outcome => return (execution, outcome),
            }
        }
    }
}

/// How an execution has ended. The data of a page are written as JSON, to know their size.
fn outcome(execution: &mut Execution, page: Option<EventPage>) -> Outcome {
    let errors = &execution.response.errors;
    let has = |code: ErrorCode| errors.iter().any(|error| code_name(error) == Some(code.name()));
    let is_refused = execution.share.is_refused() || has(ErrorCode::Timeout);
    let is_too_large = is_refused || has(ErrorCode::QueryTooComplex);
    match page {
        Some(page) if is_too_large && page.changes > 1 => Outcome::TooLarge(page),
        _ if is_refused || has(ErrorCode::ServiceUnavailable) => Outcome::Unavailable,
        // Without data the client would miss the changes of this page.
        Some(page) if execution.response.data != Value::Null => {
            let bytes = execution.write_as_json() + ENVELOPE_BYTES;
            if bytes > MAX_EVENT_BYTES { Outcome::TooLarge(page) } else { Outcome::Page(page) }
        }
        _ => Outcome::Failed,
    }
}
