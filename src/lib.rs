//! taskhold: a GraphQL API service for tasks. A request goes one way through the layers, and each layer hands
//! on a more precise type than it was given: HTTP request ([`http`]) → prepared operation ([`graphql`]) →
//! validated input ([`api`]) → owner-scoped handle ([`service`]) → SQL statement ([`db`]) → row → domain value
//! → JSON. [`app`] builds the layers, and [`cli`] starts it. No layer imports from above: docs/architecture.md
//! has the rules, and `tests/architecture` checks them.

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
