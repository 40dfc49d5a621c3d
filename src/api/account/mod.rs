//! The part of the schema for accounts and sessions.

mod input;
mod mutation;
mod payload;
mod types;

pub use mutation::AccountMutation;
pub use types::{SessionNode, UserNode};
