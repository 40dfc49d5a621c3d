//! taskhold: a GraphQL API service for tasks. A request passes the layers in one direction: [`http`] parses it,
//! [`graphql`] prepares its operation, [`api`] validates the input, [`service`] gives access to the objects of
//! one user, and [`db`] executes SQL. [`domain`] has the values and rules. [`app`] builds the layers, and
//! [`cli`] starts them. No layer imports one above it: docs/architecture.md has the rules, and
//! `tests/architecture` checks them.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod graphql;
pub mod http;
pub mod mail;
pub mod service;
pub mod telemetry;
