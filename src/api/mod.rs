//! The schema that clients see: its roots, types, inputs and scalars. It knows the services and no SQL.

mod account;
pub mod context;
mod memory_size;
mod mutation;
mod query;
pub mod query_root;
pub mod scalar;
mod server_info;
mod task;
mod task_part;

pub use context::{RequestContext, RequestExt, SessionData, refused};
pub use mutation::Mutation;
pub use query::Query;
pub use query_root::QueryRoot;
