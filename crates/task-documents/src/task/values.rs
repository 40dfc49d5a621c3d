//! The values that a task document holds, and their limits.

use chrono::NaiveDate;

/// The maximum lengths of the fields of a task in characters, and the maximum numbers of its parts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub title: usize,
    pub owner: usize,
    pub objective: usize,
    pub rationale: usize,
    pub item: usize,
    pub risk: usize,
    pub mitigation: usize,
    pub path: usize,
    pub items: usize,
    pub risks: usize,
    pub files: usize,
}

/// The values that a task document holds. Texts are trimmed, in NFC, and not longer than their limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskValues {
    /// Not empty.
    pub title: String,
    pub date: Option<NaiveDate>,
    pub status: Status,
    pub priority: Priority,
    pub owner: Option<String>,
    pub objective: Option<String>,
    pub rationale: Option<String>,
    /// A sub-item comes after its parent.
    pub items: Vec<Item>,
    pub risks: Vec<Risk>,
    pub files: Vec<File>,
}

/// A checklist item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// For the export: the index of the item in the values of the document. None for an item that was added
    /// later. Reading sets it to the index of the item itself. The same holds for risks and files.
    pub origin: Option<usize>,
    pub section: Section,
    pub text: String,
    pub done: bool,
    /// The index of the parent in [`TaskValues::items`].
    pub parent: Option<usize>,
}

/// A risk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    pub origin: Option<usize>,
    pub description: String,
    pub likelihood: RiskLevel,
    pub impact: RiskLevel,
    pub mitigation: Option<String>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub origin: Option<usize>,
    pub kind: FileKind,
    pub path: String,
}

/// The status of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Pending,
    InProgress,
    Blocked,
    Completed,
}

/// The priority of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    Low,
    #[default]
    Medium,
    High,
    Critical,
}

/// The section of a checklist item, in the order of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    InScope,
    OutOfScope,
    Deliverable,
    Action,
    Acceptance,
}

/// The likelihood or the impact of a risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RiskLevel {
    Low,
    Medium,
    High,
}

/// What a task does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    Created,
    Modified,
    Deleted,
}

impl Section {
    /// The sections in the order of the template.
    pub(super) const ALL: [Self; 5] =
        [Self::InScope, Self::OutOfScope, Self::Deliverable, Self::Action, Self::Acceptance];
    /// The sections whose items stand below labels in the template.
    pub(super) const WITH_LABELS: [Self; 3] = [Self::InScope, Self::OutOfScope, Self::Deliverable];
}

impl FileKind {
    /// The kinds in the order of the template.
    pub(super) const ALL: [Self; 3] = [Self::Created, Self::Modified, Self::Deleted];
}
