//! The part of the schema for accounts and sessions.

mod api_key;
mod input;
mod mutation;
mod payload;
mod recovery;
mod types;

pub use api_key::{ApiKeyMutation, ApiKeyNode};
pub use mutation::AccountMutation;
pub use recovery::RecoveryMutation;
pub use types::{SessionNode, UserNode};
