//! Task lists: reading a list document, writing changes into it, and new lines.

pub(crate) mod changes;
mod columns;
mod counts;
mod dependencies;
mod diagnose;
mod export;
mod graph;
mod groups;
mod insert;
mod keys;
mod labels;
mod marks;
mod names;
mod outline;
mod path_set;
mod paths;
mod read;
mod references;
mod remove;
mod scanner;
mod sections;
mod stated;
mod statements;
mod tasks;
mod types;
mod wait_graph;
mod waiting;

pub use export::export;
pub use insert::insert;
pub use keys::{is_key, next_key};
pub use marks::is_story;
pub use names::KeyReference;
pub use path_set::PathSet;
pub use paths::paths;
pub use references::references;
pub use tasks::{MAX_TITLE, title_of};
pub use types::{
    Group, ListDocument, ListTask, NewLine, Phase, Place, Statement, Statements, Story, TaskState,
    TaskStatement,
};
pub use wait_graph::{ListNow, TaskNow};
pub use waiting::Waiting;
