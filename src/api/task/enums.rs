//! The enums of tasks.

use async_graphql::Enum;

use crate::domain;
use crate::graphql::direct_json::DirectJson;

/// How far a task is.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::TaskStatus")]
pub enum TaskStatus {
    /// Not begun.
    Pending,
    /// Being worked on.
    InProgress,
    /// Waiting for something.
    Blocked,
    /// Done.
    Completed,
}

/// How much a task matters.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::TaskPriority")]
pub enum TaskPriority {
    /// Can wait.
    Low,
    /// As usual.
    Medium,
    /// Before others.
    High,
    /// Before everything.
    Critical,
}
