//! The rows, as the migrations made them.

pub mod session;
pub mod task;
pub mod user;
