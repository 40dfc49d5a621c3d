//! Markdown documents as a tree of blocks.

mod parse;
mod prepare;
mod types;

pub use types::{Block, BlockKind, Inline, InlineKind, Markdown};
