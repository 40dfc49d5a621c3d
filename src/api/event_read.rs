//! One event of a subscription: what it reads, and where the next one begins.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::domain::{ChangeCursor, Changes, ChangesArguments, ChangesFrom, ChangesRequest, Result};

/// The page that an event reads, and what the resolver found. The resolver of `taskChanges` reaches it through
/// the context of the request.
pub struct EventRead {
    /// The position of the subscription; None before its first event, which begins where the arguments say.
    cursor: Option<ChangeCursor>,
    /// The position that the client sent with the connection.
    last_event_id: Option<String>,
    /// The largest page that is small enough for an event; None when the page of the arguments is.
    max_size: Option<usize>,
    page: Mutex<Option<EventPage>>,
}

/// The page that an event has read.
#[derive(Clone, Copy, Debug)]
pub struct EventPage {
    /// The cursor at its end.
    pub cursor: ChangeCursor,
    /// The number of changes on the page.
    pub changes: usize,
    /// Whether there are changes after it.
    pub has_more: bool,
}

impl EventRead {
    /// An event after `cursor`, of at most `max_size` changes.
    pub fn new(cursor: Option<ChangeCursor>, last_event_id: Option<String>, max_size: Option<usize>) -> Self {
        Self { cursor, last_event_id, max_size, page: Mutex::default() }
    }

    /// The page to read. Errors: Invalid with the faults of all arguments.
    pub fn page(&self, owner: Uuid, after: Option<&str>, first: Option<i32>) -> Result<ChangesRequest> {
        let is_first = self.cursor.is_none();
        let last_event_id = self.last_event_id.as_deref();
        let arguments = ChangesArguments {
            after: after.filter(|_| is_first),
            last_event_id: last_event_id.filter(|_| is_first),
            first,
        };
        let default = self.cursor.map_or(ChangesFrom::Now, ChangesFrom::Cursor);
        let mut page = ChangesRequest::parse(owner, arguments, default)?;
        page.size = page.size.min(self.max_size.unwrap_or(page.size));
        Ok(page)
    }

    /// Records the page that was read.
    pub fn record(&self, changes: &Changes) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(EventPage {
            cursor: changes.cursor,
            changes: changes.tasks.len(),
            has_more: changes.has_more,
        });
    }

    /// The page that was read; None when its field has failed.
    pub fn recorded(&self) -> Option<EventPage> {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
