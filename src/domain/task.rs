//! Tasks: their values, what a change of one is, and how a list of them is filtered.

use uuid::Uuid;

use crate::domain::{Instant, Problem, Result, text};

/// A task as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub title: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub due_at: Option<Instant>,
    pub completed_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i32,
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

impl TaskStatus {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Pending, Self::InProgress, Self::Blocked, Self::Completed];

    /// The name it is stored under.
    pub fn name(self) -> &'static str {
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

impl TaskPriority {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name it is stored under.
    pub fn name(self) -> &'static str {
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
        text::filled(raw, text::MAX_TITLE).map(Self)
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

/// A description in Markdown of at most 20,000 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Accepts up to 20,000 characters.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        text::at_most(raw, text::MAX_DESCRIPTION).map(Self)
    }

    /// The text itself.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A checked wish for a task.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub title: Title,
    pub description: Option<Description>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub due_at: Option<Instant>,
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

/// A checked change of a task; None leaves a field as it is, Some(None) clears it.
#[derive(Clone, Debug, Default)]
pub struct TaskEdit {
    pub title: Option<Title>,
    pub description: Option<Option<Description>>,
    pub status: Option<StatusChange>,
    pub priority: Option<TaskPriority>,
    pub due_at: Option<Option<Instant>>,
}

impl From<NewTask> for TaskEdit {
    /// The change that makes a task hold just this.
    fn from(new: NewTask) -> Self {
        Self {
            title: Some(new.title),
            description: Some(new.description),
            status: Some(StatusChange::To(new.status)),
            priority: Some(new.priority),
            due_at: Some(new.due_at),
        }
    }
}

impl From<StatusChange> for TaskEdit {
    /// The change that moves the status alone.
    fn from(change: StatusChange) -> Self {
        Self { status: Some(change), ..Self::default() }
    }
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
    pub from: Option<Instant>,
    /// Not included.
    pub before: Option<Instant>,
    pub is_null: Option<bool>,
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
}
