//! The log and the metrics.

mod log;
pub mod metrics;
mod recovery;
#[cfg(unix)]
mod unread_log;
