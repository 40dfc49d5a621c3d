//! Task lists: reading a list document, writing changes into it, and new lines.

pub(crate) mod changes;
mod columns;
mod counts;
mod diagnose;
mod export;
mod insert;
mod keys;
mod labels;
mod marks;
mod outline;
mod paths;
mod read;
mod remove;
mod tasks;
mod types;

pub use export::export;
pub use insert::insert;
pub use keys::{is_key, next_key};
pub use marks::is_story;
pub use paths::paths;
pub use tasks::{MAX_TITLE, title_of};
pub use types::{ListDocument, ListTask, NewLine, Phase, Place, Story, TaskState};
