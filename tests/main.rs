//! The behaviour of the service through its public API: one binary, each test a sentence, each run on
//! SQLite and on PostgreSQL.

mod support;

mod adversarial;
mod api;
mod architecture;
mod documents;
#[cfg(unix)]
mod faults;
mod model;
mod process;
