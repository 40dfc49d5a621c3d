//! The routes that carry documents of tasks and task lists as bytes.

mod access;
mod conditions;
mod export;
mod import;
mod merge;
mod refusals;
mod replace;
mod support;
