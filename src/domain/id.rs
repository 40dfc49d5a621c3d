//! Generates ids. No other code does.

use uuid::Uuid;

/// A new id: a UUID of version 7 (RFC 9562). It starts with a timestamp, so that indexes grow at their end.
#[expect(clippy::disallowed_methods, reason = "this is where ids are made")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
