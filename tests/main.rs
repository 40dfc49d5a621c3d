//! Integration tests of the service through its public interfaces, in one test binary. The name of each test
//! states the behaviour that it checks. Where the database matters, a test runs on SQLite and on PostgreSQL.

mod support;

mod adversarial;
mod api;
mod architecture;
mod documents;
#[cfg(unix)]
mod faults;
mod model;
mod process;
