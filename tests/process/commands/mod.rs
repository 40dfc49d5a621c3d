//! The commands of the program other than serving.

mod cli;
mod healthcheck;
mod user;
mod user_keys;
