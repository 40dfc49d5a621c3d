//! Claims of tasks: the type, inputs, payloads and mutations.

mod input;
mod mutation;
mod payload;
mod types;

pub use mutation::ClaimMutation;
pub use types::ClaimNode;
