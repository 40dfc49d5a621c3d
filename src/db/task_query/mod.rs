//! SQL of lists of tasks, with the same meaning on both databases.

mod changes;
mod filter;
mod page;

pub use changes::{ChangedRows, changes};
pub use filter::condition;
pub use page::{column, page};
