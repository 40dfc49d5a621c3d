//! Raw requests, connections and their limits, slow clients, and proxies.

mod closing;
mod connection_limits;
mod framing;
#[cfg(unix)]
mod open_files;
mod proxies;
mod raw_requests;
pub(super) mod slow_clients;
