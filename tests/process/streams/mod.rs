//! Streams over real connections: WebSockets, event streams and multipart streams.

mod closing;
mod event_stream;
mod handshake;
mod limits;
mod multipart;
mod observability;
mod operations;
mod outages;
mod ownership;
mod sessions;
mod slow_clients;
mod stop;

use crate::process::CREATE;

/// Reports changes from now on.
const SUBSCRIBE: &str = "subscription($after: String) {
    taskChanges(after: $after) { changes { taskId version task { title } } cursor hasMore } }";
