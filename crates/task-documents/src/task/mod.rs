//! Task documents: reading, export, and documents of tasks that have none.

mod checklist;
mod columns;
mod document;
mod ending;
mod export;
mod fields;
mod files;
mod format;
mod labels;
mod matching;
mod names;
mod prose;
mod report;
mod risks;
mod sections;
mod siblings;
mod spans;
mod title;
mod values;
mod words;
mod write;

pub use document::TaskDocument;
pub use export::export;
pub use matching::{match_files, match_items, match_risks};
pub use values::{File, FileKind, Item, Limits, Priority, Risk, RiskLevel, Section, Status, TaskValues};
pub use write::write;
