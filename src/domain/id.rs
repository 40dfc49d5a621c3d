//! The one place that makes ids.

use uuid::Uuid;

/// A fresh id: a UUID of version 7 (RFC 9562), so that ids grow with time and indexes at their end.
#[expect(clippy::disallowed_methods, reason = "this is where ids are made")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
