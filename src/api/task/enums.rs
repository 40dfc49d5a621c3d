//! The enums of tasks.

use async_graphql::Enum;

use crate::domain;
use crate::graphql::direct_json::DirectJson;

/// The status of a task.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::TaskStatus")]
pub enum TaskStatus {
    /// Not started. The default.
    Pending,
    /// In progress.
    InProgress,
    /// Blocked by something outside the task.
    Blocked,
    /// Completed.
    Completed,
}

/// The priority of a task.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::TaskPriority")]
pub enum TaskPriority {
    /// Low priority.
    Low,
    /// Normal priority. The default.
    Medium,
    /// High priority.
    High,
    /// Critical priority.
    Critical,
}
