//! Reads Markdown task documents and task lists, writes changes into them, and merges versions of a list.
//! Everything here is a pure function of text: there is no database, no clock and no GraphQL. Reading accepts
//! every document, and takes time in proportion to its size.

pub mod boxes;
pub mod diagnostic;
mod indentation;
pub mod list;
pub mod markdown;
pub mod merge;
pub mod task;
pub mod text;
