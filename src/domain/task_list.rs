//! Lists of tasks: scope, filters and orders.

use std::collections::BTreeSet;

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
}
