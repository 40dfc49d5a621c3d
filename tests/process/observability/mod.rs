//! The log and the metrics.

mod log;
pub mod metrics;
#[cfg(unix)]
mod unread_log;
