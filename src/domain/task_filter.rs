//! Lists of tasks: scope, filters and orders.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::{Instant, TaskPriority, TaskStatus};

/// Whether tasks are active or in the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskScope {
    Active,
    /// In the trash, and can be restored.
    Trashed,
}

/// The condition that the tasks of a list meet. It is two-valued: a task without a date is outside every
/// range of that date, and therefore inside the negation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskFilter {
    All(Vec<TaskFilter>),
    Any(Vec<TaskFilter>),
    Not(Box<TaskFilter>),
    Status(Vec<TaskStatus>),
    Priority(Vec<TaskPriority>),
    /// The task has all labels with these keys.
    Labels(BTreeSet<String>),
    /// The searched text of the task contains all of these folded words.
    Words(BTreeSet<String>),
    Date(DateField, DateRange),
    List(ListFilter),
}

/// A condition for the place of a task in a task list. A task that belongs to no list meets none of them, except for
/// `Any(false)` and `Parallel(false)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFilter {
    /// Whether the task belongs to any list.
    Any(bool),
    /// The task belongs to this list. None, for an id that is not a UUID, matches nothing.
    Id(Option<Uuid>),
    /// The key is one of these.
    Key(BTreeSet<String>),
    /// The number of the phase is one of these.
    Phase(BTreeSet<String>),
    /// The task belongs to one of the stories with these keys.
    Story(BTreeSet<String>),
    /// Whether the task has the mark `[P]`.
    Parallel(bool),
}

/// The dates that a filter can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateField {
    DueAt,
    CreatedAt,
    UpdatedAt,
    CompletedAt,
}

/// All given conditions must hold. An empty range holds for all tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateRange {
    /// Inclusive.
    pub from: Option<Bound>,
    /// Exclusive.
    pub before: Option<Bound>,
    pub is_null: Option<bool>,
}

/// A bound for the times of tasks, which are whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub at: Instant,
    /// Whether the bound is between `at` and the next millisecond.
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
    /// Only for the trash.
    DeletedAt,
    /// The id of the task list. It is null for a task that belongs to none.
    List,
    /// The place in the task list; 0 for a task that belongs to none.
    ListPosition,
}

/// One key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderKey {
    pub field: OrderField,
    pub descending: bool,
    pub nulls_first: bool,
}

impl OrderKey {
    /// The default order: newest first.
    pub const NEWEST_FIRST: Self =
        Self { field: OrderField::CreatedAt, descending: true, nulls_first: false };
    /// The order of the trash: most recently deleted first.
    pub const LATEST_DELETION_FIRST: Self =
        Self { field: OrderField::DeletedAt, descending: true, nulls_first: false };
    /// The order of a task list: as in its document.
    pub const AS_IN_DOCUMENT: Self =
        Self { field: OrderField::ListPosition, descending: false, nulls_first: false };
}
