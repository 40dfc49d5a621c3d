//! taskhold: a GraphQL API service for tasks.
//!
//! A request enters by one door and goes one way; each room hands on a more precise type than it was
//! given: bytes → who ([`auth`]) → what ([`domain`]) → whose ([`service`]) → one SQL statement →
//! row → task → node ([`graphql`]) → JSON ([`http`]).
//!
//! Who may import whom: [`cli`] → [`app`] → everything; [`http`] → [`graphql`], [`auth`];
//! [`graphql`] → [`service`], [`auth`], [`domain`]; [`service`] → [`db`], [`auth`], [`domain`]; [`db`] → [`domain`];
//! [`auth`] → [`domain`]; [`domain`] → nothing of ours. `tests/architecture.rs` holds the rooms to it.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod service;
pub mod telemetry;
