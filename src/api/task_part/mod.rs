//! The part of the schema for task parts: checklist items, risks and files.

pub mod input;
mod mutation;
mod payload;
mod types;

pub use mutation::PartMutation;
pub use types::{
    ChecklistItemNode, ChecklistSection, FileChangeKind, FileChangeNode, Progress, RiskLevel, RiskNode,
    charge,
};
