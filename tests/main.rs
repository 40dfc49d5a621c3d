//! The behaviour of the service through its public API: one binary, each test a sentence, each run on
//! SQLite and on PostgreSQL.

mod support;

mod accounts;
mod answers;
mod bad_input;
mod briefs;
mod errors;
mod fairness;
#[cfg(unix)]
mod faults;
mod hostile;
mod house;
mod http;
mod limits;
mod lists;
mod migrations;
mod model;
mod ownership;
mod panics;
mod parts;
mod persisted;
mod plain;
mod readme;
mod schema;
mod sessions;
mod start;
mod tasks;
mod throttling;
mod trash;
mod values;
