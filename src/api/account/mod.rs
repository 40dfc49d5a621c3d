//! Accounts and sessions in the schema.

mod input;
mod mutation;
mod payload;
mod types;

pub use mutation::AccountMutation;
pub use types::{SessionNode, UserNode};
