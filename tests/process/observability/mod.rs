//! The log and the metrics.

mod log;
mod metrics;
#[cfg(unix)]
mod unread_log;
