//! The rows, as the migrations made them.

pub mod login_attempt;
pub mod session;
pub mod session_ending;
pub mod task;
pub mod user;
