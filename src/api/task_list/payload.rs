//! The payloads of the mutations of task lists.

use async_graphql::SimpleObject;

use crate::api::diagnostic::Diagnostic;
use crate::api::scalar::Id;
use crate::api::task_list::TaskListNode;

/// The result of importing a task list.
#[derive(SimpleObject)]
pub struct ImportTaskListPayload {
    /// The list with its tasks.
    pub task_list: TaskListNode,
    /// The diagnostics of the document.
    pub diagnostics: Vec<Diagnostic>,
}

/// A task list after a change.
#[derive(SimpleObject)]
pub struct TaskListPayload {
    /// The task list.
    pub task_list: TaskListNode,
}

/// The result of moving a task list to the trash.
#[derive(SimpleObject)]
pub struct DeleteTaskListPayload {
    /// The id of the deleted list.
    pub deleted_task_list_id: Id,
}
