//! Task documents and task lists in Markdown.

mod changes;
mod create_in_list;
mod filters;
mod import_lists;
mod limits;
mod merge;
pub mod support;
mod task_documents;
mod trash;
