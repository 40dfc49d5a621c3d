//! Task parts: checklist items, risks and files.

use uuid::Uuid;

use crate::domain::stored_enum::stored_enum;
use crate::domain::{Faults, Problem, Result, Rule, text};

/// The maximum number of checklist items of a task, on both levels.
pub const MAX_ITEMS: usize = 500;
/// The maximum number of risks of a task.
pub const MAX_RISKS: usize = 100;
/// The maximum number of files of a task.
pub const MAX_FILES: usize = 500;

stored_enum! {
    /// The section of a task document that a checklist item belongs to, in the order of the document.
    Section {
        InScope = "IN_SCOPE",
        OutOfScope = "OUT_OF_SCOPE",
        Deliverable = "DELIVERABLE",
        Action = "ACTION",
        Acceptance = "ACCEPTANCE",
    }
    /// The likelihood or the impact of a risk.
    RiskLevel { Low = "LOW", Medium = "MEDIUM", High = "HIGH" }
    /// What a task does with a file.
    FileChangeKind { Created = "CREATED", Modified = "MODIFIED", Deleted = "DELETED" }
}

/// Defines types of non-empty text with a maximum length.
macro_rules! non_empty_text {
    ($($(#[$meta:meta])* $ty:ident: $max:expr)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $ty(String);

        impl $ty {
            /// Accepts text that is not blank and not too long.
            pub fn parse(raw: &str) -> Result<Self, Problem> {
                text::non_empty(raw, $max).map(Self)
            }

            /// The text.
            pub fn into_string(self) -> String {
                self.0
            }
        }
    )+};
}

non_empty_text! {
    /// The text of a checklist item, 1 to 1,000 characters.
    ItemText: text::MAX_ITEM
    /// The description of a risk, 1 to 1,000 characters.
    RiskDescription: text::MAX_RISK
    /// The path of a file, 1 to 500 characters.
    FilePath: text::MAX_PATH
}

/// An item of a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistItem {
    pub id: Uuid,
    pub task_id: Uuid,
    /// The item that it is a sub-item of.
    pub parent_id: Option<Uuid>,
    pub section: Section,
    pub text: String,
    pub done: bool,
    /// Its position among its siblings; see [`crate::domain::ordering`].
    pub position: i64,
    /// The index in the document of the task; None for one that was added later.
    pub origin: Option<i32>,
}

/// A validated new checklist item with its sub-items.
#[derive(Clone, Debug)]
pub struct NewItem {
    pub section: Section,
    pub text: ItemText,
    pub done: bool,
    pub children: Vec<NewItem>,
}

impl NewItem {
    /// The number of items, on both levels.
    pub fn count(items: &[Self]) -> usize {
        items.iter().map(|item| 1 + item.children.len()).sum()
    }
}

/// A validated edit of a checklist item. None leaves a field unchanged.
#[derive(Clone, Debug, Default)]
pub struct ItemEdit {
    pub text: Option<ItemText>,
    pub done: Option<bool>,
}

/// A risk of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    pub id: Uuid,
    pub task_id: Uuid,
    pub description: String,
    pub likelihood: RiskLevel,
    pub impact: RiskLevel,
    pub mitigation: Option<String>,
    pub position: i64,
    /// The index in the document of the task; None for one that was added later.
    pub origin: Option<i32>,
}

/// A validated new risk.
#[derive(Clone, Debug)]
pub struct NewRisk {
    pub description: RiskDescription,
    pub likelihood: RiskLevel,
    pub impact: RiskLevel,
    pub mitigation: Option<String>,
}

/// A validated edit of a risk. None leaves a field unchanged; Some(None) clears it.
#[derive(Clone, Debug, Default)]
pub struct RiskEdit {
    pub description: Option<RiskDescription>,
    pub likelihood: Option<RiskLevel>,
    pub impact: Option<RiskLevel>,
    pub mitigation: Option<Option<String>>,
}

/// A file that a task creates, modifies or deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    pub id: Uuid,
    pub task_id: Uuid,
    pub path: String,
    pub kind: FileChangeKind,
    pub position: i64,
    /// The index in the document of the task; None for one that was added later.
    pub origin: Option<i32>,
}

/// A validated new file.
#[derive(Clone, Debug)]
pub struct NewFileChange {
    pub path: FilePath,
    pub kind: FileChangeKind,
}

/// The validated new parts of a task.
#[derive(Clone, Debug, Default)]
pub struct NewParts {
    pub checklist: Vec<NewItem>,
    pub risks: Vec<NewRisk>,
    pub files: Vec<NewFileChange>,
}

impl NewParts {
    /// Notes a fault for each list that has too many items.
    pub fn check_counts(&self, faults: &mut Faults) {
        let counts = [
            ("checklist", NewItem::count(&self.checklist), MAX_ITEMS),
            ("risks", self.risks.len(), MAX_RISKS),
            ("files", self.files.len(), MAX_FILES),
        ];
        for (field, count, max) in counts {
            if count > max {
                let message = format!("may have at most {max} items, not {count}");
                faults.push(field, Problem::new(Rule::TooMany, message));
            }
        }
    }

    /// Whether there are no parts.
    pub fn is_empty(&self) -> bool {
        self.checklist.is_empty() && self.risks.is_empty() && self.files.is_empty()
    }
}

/// The number of completed checklist items, among those that are not out of scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub total: usize,
}

impl Progress {
    /// The progress in percent, rounded down; 0 when there are no items.
    pub fn percent(self) -> usize {
        (self.done * 100).checked_div(self.total).unwrap_or(0)
    }
}
