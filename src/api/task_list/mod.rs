//! Task lists: types, inputs, payloads and mutations.

mod connection;
pub mod input;
pub mod loader;
pub mod merge;
mod mutation;
mod payload;
mod phase;
mod types;

pub use connection::TaskListConnection;
pub use mutation::TaskListMutation;
pub use phase::{PhaseNode, StoryNode};
pub use types::TaskListNode;
