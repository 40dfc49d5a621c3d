//! Failures of the database during requests, and clients that disconnect.

#[cfg(unix)]
mod database_kill;
mod database_outage;
mod disconnected_clients;
