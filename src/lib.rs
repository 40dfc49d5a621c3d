//! taskhold: a GraphQL API service for tasks.
//!
//! A request enters by one door and goes one way; each room hands on a more precise type than it was
//! given: bytes → who ([`identity`]) → what ([`domain`]) → whose ([`service`]) → one SQL statement →
//! row → task → node ([`graphql`]) → JSON ([`http`]).
//!
//! Who may import whom: [`cli`] → [`app`] → everything; [`http`] → [`graphql`], [`identity`];
//! [`graphql`] → [`service`], [`identity`], [`domain`]; [`service`] → [`db`], [`identity`], [`domain`]; [`db`] → [`domain`];
//! [`identity`] → [`domain`]; [`domain`] → nothing of ours. `tests/house.rs` holds the rooms to it.

pub mod app;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod identity;
mod open_files;
pub mod service;
pub mod telemetry;
