//! The part of the schema for tasks.

pub mod changes;
pub mod connection;
pub mod enums;
pub mod filter;
pub mod input;
mod mutation;
pub mod part_loader;
pub mod payload;
mod types;

pub use mutation::TaskMutation;
pub use types::TaskNode;
