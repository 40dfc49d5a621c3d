//! Tasks: their values, what a change of one is, and how a list of them is filtered.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::{Faults, Instant, Label, Labels, NewParts, Problem, Result, StoredEnum, text};

/// A task as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub title: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub labels: Labels,
    pub due_at: Option<Instant>,
    pub completed_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// When it went into the trash.
    pub deleted_at: Option<Instant>,
    pub version: i32,
    pub details: TaskDetails,
}

/// The fields of a task that come from a written task document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskDetails {
    /// The document's date.
    pub date: Option<NaiveDate>,
    /// The person or team named in the document; says nothing about rights.
    pub owner_label: Option<String>,
    /// The one-sentence goal.
    pub objective: Option<String>,
    /// The problem, and why it is worth solving now.
    pub rationale: Option<String>,
}

impl Task {
    /// What a search looks at, folded: title, description and objective, each in a part of its own.
    pub fn search_text(&self) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        text::fold(&format!("{}\n{}\n{}", self.title, part(&self.description), part(&self.details.objective)))
    }

    /// The task with a change made at `now`. Version and updatedAt move only when a value does.
    pub fn edited(&self, edit: &TaskEdit, now: Instant) -> Result<Self> {
        let TaskEdit { title, description, status, priority, labels, due_at, details: brief } = edit;
        let TaskDetailsEdit { date, owner_label, objective, rationale } = brief;
        let mut task = self.clone();
        if let Some(title) = title {
            task.title = title.as_str().to_owned();
        }
        if let Some(change) = status {
            task.set_status(change.apply(task.status), now);
        }
        if let Some(change) = labels {
            task.labels = change.apply(task.labels)?;
        }
        set_if_some(&mut task.description, description);
        set_if_some(&mut task.priority, priority);
        set_if_some(&mut task.due_at, due_at);
        set_if_some(&mut task.details.date, date);
        set_if_some(&mut task.details.owner_label, owner_label);
        set_if_some(&mut task.details.objective, objective);
        set_if_some(&mut task.details.rationale, rationale);
        Ok(if task == *self { task } else { task.with_next_version(now) })
    }

    /// The task after a change of something in it.
    pub fn with_next_version(mut self, now: Instant) -> Self {
        self.version = self.version.saturating_add(1);
        // Not before the change that came first: this one may have waited for it since its own time was
        // taken, and whoever asks for what is newer must not miss it.
        self.updated_at = self.updated_at.max(now);
        self
    }

    /// Status and completedAt move together: the one is COMPLETED exactly when the other is set.
    fn set_status(&mut self, status: TaskStatus, now: Instant) {
        self.status = status;
        self.completed_at = (status == TaskStatus::Completed).then(|| self.completed_at.unwrap_or(now));
    }
}

fn set_if_some<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

/// How far a task is, in the order of progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskStatus {
    #[default]
    Pending,
    InProgress,
    Blocked,
    Completed,
}

impl StoredEnum for TaskStatus {
    const ALL: &'static [Self] = &[Self::Pending, Self::InProgress, Self::Blocked, Self::Completed];

    fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Blocked => "BLOCKED",
            Self::Completed => "COMPLETED",
        }
    }
}

/// How much a task matters, in the order of weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskPriority {
    Low,
    #[default]
    Medium,
    High,
    Critical,
}

impl StoredEnum for TaskPriority {
    const ALL: &'static [Self] = &[Self::Low, Self::Medium, Self::High, Self::Critical];

    fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

/// A title of 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Accepts 1 to 200 characters.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        text::non_empty(raw, text::MAX_TITLE).map(Self)
    }

    /// The title as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What titles are ordered by: the lower-cased text, compared by code point.
    pub fn key(title: &str) -> String {
        title.to_lowercase()
    }
}

/// A checked wish for a task, with all that it can hold.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Chosen by the client, so that a retry makes no second task.
    pub id: Option<Uuid>,
    pub title: Title,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub labels: Labels,
    pub due_at: Option<Instant>,
    pub details: TaskDetails,
    pub parts: NewParts,
}

impl NewTask {
    /// The task, without its parts.
    pub fn task(&self, id: Uuid, owner_id: Uuid, now: Instant) -> Task {
        Task {
            id,
            owner_id,
            title: self.title.as_str().to_owned(),
            description: self.description.clone(),
            status: self.status,
            priority: self.priority,
            labels: self.labels.clone(),
            due_at: self.due_at,
            completed_at: (self.status == TaskStatus::Completed).then_some(now),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            version: 1,
            details: self.details.clone(),
        }
    }

    /// The change that makes a task hold just this, its parts apart.
    pub fn edit(&self) -> TaskEdit {
        let TaskDetails { date, owner_label, objective, rationale } = self.details.clone();
        TaskEdit {
            title: Some(self.title.clone()),
            description: Some(self.description.clone()),
            status: Some(StatusChange::To(self.status)),
            priority: Some(self.priority),
            labels: Some(LabelChange::Replace(self.labels.clone())),
            due_at: Some(self.due_at),
            details: TaskDetailsEdit {
                date: Some(date),
                owner_label: Some(owner_label),
                objective: Some(objective),
                rationale: Some(rationale),
            },
        }
    }
}

/// How a change moves the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    To(TaskStatus),
    /// COMPLETED becomes PENDING, anything else stays.
    Reopen,
    /// COMPLETED becomes PENDING, anything else becomes COMPLETED.
    Toggle,
}

impl StatusChange {
    /// What becomes of a status.
    fn apply(self, status: TaskStatus) -> TaskStatus {
        match (self, status) {
            (Self::To(status), _) => status,
            (Self::Reopen | Self::Toggle, TaskStatus::Completed) => TaskStatus::Pending,
            (Self::Reopen, status) => status,
            (Self::Toggle, _) => TaskStatus::Completed,
        }
    }
}

/// How a change moves the labels.
#[derive(Clone, Debug)]
pub enum LabelChange {
    Replace(Labels),
    /// Removes first, so that what is added stands at the end.
    Adjust {
        add: Vec<Label>,
        remove: Vec<Label>,
    },
}

impl LabelChange {
    /// What becomes of labels; [`Error::Invalid`] when they become too many.
    fn apply(&self, labels: Labels) -> Result<Labels> {
        match self {
            Self::Replace(labels) => Ok(labels.clone()),
            Self::Adjust { add, remove } => {
                let mut faults = Faults::of("input");
                let labels = faults.check("addLabels", labels.without(remove).with(add));
                faults.finish(labels)
            }
        }
    }
}

/// A checked change of a task; None leaves a field as it is, Some(None) clears it.
#[derive(Clone, Debug, Default)]
pub struct TaskEdit {
    pub title: Option<Title>,
    pub description: Option<Option<String>>,
    pub status: Option<StatusChange>,
    pub priority: Option<TaskPriority>,
    pub labels: Option<LabelChange>,
    pub due_at: Option<Option<Instant>>,
    pub details: TaskDetailsEdit,
}

/// A checked change of a task's brief, field by field like [`TaskEdit`].
#[derive(Clone, Debug, Default)]
pub struct TaskDetailsEdit {
    pub date: Option<Option<NaiveDate>>,
    pub owner_label: Option<Option<String>>,
    pub objective: Option<Option<String>>,
    pub rationale: Option<Option<String>>,
}

impl From<StatusChange> for TaskEdit {
    /// The change that moves the status alone.
    fn from(change: StatusChange) -> Self {
        Self { status: Some(change), ..Self::default() }
    }
}

/// Where tasks lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskScope {
    Active,
    /// Deleted, and still to be brought back.
    Trashed,
}

/// Which tasks a list shows: a condition that each of them meets. It is two-valued: a task without a
/// date is outside every range of that date, and so inside its negation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskFilter {
    All(Vec<TaskFilter>),
    Any(Vec<TaskFilter>),
    Not(Box<TaskFilter>),
    Status(Vec<TaskStatus>),
    Priority(Vec<TaskPriority>),
    /// Has all of these labels; their keys.
    Labels(BTreeSet<String>),
    /// Every one of these words, folded, is a part of what a search looks at.
    Words(BTreeSet<String>),
    Date(DateField, DateRange),
}

/// The dates that a filter can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateField {
    DueAt,
    CreatedAt,
    UpdatedAt,
    CompletedAt,
}

/// All conditions given must hold; none holds everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateRange {
    /// Included.
    pub from: Option<Bound>,
    /// Not included.
    pub before: Option<Bound>,
    pub is_null: Option<bool>,
}

/// An instant that those of tasks are compared with, which are whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub at: Instant,
    /// Whether the bound lies between `at` and the next millisecond.
    pub is_between: bool,
}

/// A field that lists can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderField {
    CreatedAt,
    UpdatedAt,
    DueAt,
    CompletedAt,
    Priority,
    Status,
    Title,
    /// For the trash.
    DeletedAt,
}

/// One key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderKey {
    pub field: OrderField,
    pub descending: bool,
    pub nulls_first: bool,
}

impl OrderKey {
    /// The order of a list that asks for none: newest first.
    pub const NEWEST_FIRST: Self =
        Self { field: OrderField::CreatedAt, descending: true, nulls_first: false };
    /// The order of the trash: latest deletion first.
    pub const LATEST_DELETION_FIRST: Self =
        Self { field: OrderField::DeletedAt, descending: true, nulls_first: false };
}
