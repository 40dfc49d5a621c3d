//! SQL of lists of tasks, with the same meaning on both databases.

mod filter;
mod page;

pub use filter::condition;
pub use page::{column, page};
