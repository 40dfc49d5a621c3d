//! The parts of a task document: boxes to tick, risks, and the files that change.

use uuid::Uuid;

use crate::domain::{Faults, Problem, Result, Rule, text};

/// The most boxes of a task, on both levels.
pub const MAX_ITEMS: usize = 500;
/// The most risks of a task.
pub const MAX_RISKS: usize = 100;
/// The most files of a task.
pub const MAX_FILES: usize = 500;

/// The name that a value of an enum is stored under.
pub trait StoredEnum: Copy + 'static {
    /// All values, in order.
    const ALL: &'static [Self];

    /// The name of this one.
    fn name(self) -> &'static str;

    /// The value of a name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

/// Makes enums whose values are stored by name.
macro_rules! stored_enum {
    ($($(#[$meta:meta])* $ty:ident { $($value:ident = $name:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $ty { $($value),+ }

        impl StoredEnum for $ty {
            const ALL: &'static [Self] = &[$(Self::$value),+];

            fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }
        }
    )+};
}

stored_enum! {
    /// The section of a task document that a box stands in, in the document's order.
    Section {
        InScope = "IN_SCOPE",
        OutOfScope = "OUT_OF_SCOPE",
        Deliverable = "DELIVERABLE",
        Action = "ACTION",
        Acceptance = "ACCEPTANCE",
    }
    /// How likely a risk is, or how much it would hurt.
    RiskLevel { Low = "LOW", Medium = "MEDIUM", High = "HIGH" }
    /// What happens to a file.
    FileChangeKind { Created = "CREATED", Modified = "MODIFIED", Deleted = "DELETED" }
}

/// Makes text that has to be there, with its longest length.
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

            /// The text itself.
            pub fn into_string(self) -> String {
                self.0
            }
        }
    )+};
}

non_empty_text! {
    /// What a box asks for, in 1 to 1,000 characters.
    ItemText: text::MAX_ITEM
    /// A risk, in 1 to 1,000 characters.
    RiskDescription: text::MAX_RISK
    /// A file's path, in 1 to 500 characters.
    FilePath: text::MAX_PATH
}

/// A box of a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistItem {
    pub id: Uuid,
    pub task_id: Uuid,
    /// The box that it is a step of.
    pub parent_id: Option<Uuid>,
    pub section: Section,
    pub text: String,
    pub done: bool,
    /// Its place among its siblings; see [`crate::domain::ordering`].
    pub position: i64,
}

/// A checked wish for a box, with its steps.
#[derive(Clone, Debug)]
pub struct NewItem {
    pub section: Section,
    pub text: ItemText,
    pub done: bool,
    pub children: Vec<NewItem>,
}

impl NewItem {
    /// How many boxes these are, on both levels.
    pub fn count(items: &[Self]) -> usize {
        items.iter().map(|item| 1 + item.children.len()).sum()
    }
}

/// A checked change of a box; None leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ItemEdit {
    pub text: Option<ItemText>,
    pub done: Option<bool>,
}

/// Something that may go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    pub id: Uuid,
    pub task_id: Uuid,
    pub description: String,
    pub likelihood: RiskLevel,
    pub impact: RiskLevel,
    pub mitigation: Option<String>,
    pub position: i64,
}

/// A checked wish for a risk.
#[derive(Clone, Debug)]
pub struct NewRisk {
    pub description: RiskDescription,
    pub likelihood: RiskLevel,
    pub impact: RiskLevel,
    pub mitigation: Option<String>,
}

/// A checked change of a risk; None leaves a field as it is, Some(None) clears it.
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
}

/// A checked wish for a file.
#[derive(Clone, Debug)]
pub struct NewFileChange {
    pub path: FilePath,
    pub kind: FileChangeKind,
}

/// A checked wish for all parts of a task.
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

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.checklist.is_empty() && self.risks.is_empty() && self.files.is_empty()
    }
}

/// How many boxes are ticked, of those that are in scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub total: usize,
}

impl Progress {
    /// In percent, rounded down; 0 when there is nothing to tick.
    pub fn percent(self) -> usize {
        (self.done * 100).checked_div(self.total).unwrap_or(0)
    }
}
