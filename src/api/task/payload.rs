//! The payloads of the mutations of tasks.

use async_graphql::SimpleObject;

use crate::api::scalar::Id;
use crate::api::task::TaskNode;
use crate::graphql::direct_json::{DirectList, DirectObject};

/// The result of createTask.
#[derive(SimpleObject)]
pub struct CreateTaskPayload {
    /// The new task, or the existing one with the same id.
    pub task: DirectObject<TaskNode>,
}

/// The result of a mutation that changes one task.
#[derive(SimpleObject)]
pub struct UpdateTaskPayload {
    /// The task after the change.
    pub task: DirectObject<TaskNode>,
}

/// The result of a mutation that creates or changes several tasks.
#[derive(SimpleObject)]
pub struct TasksPayload {
    /// The tasks after the change, in the order of the input.
    pub tasks: DirectList<TaskNode>,
}

/// The result of deleteTasks.
#[derive(SimpleObject)]
pub struct DeleteTasksPayload {
    /// The ids of the deleted tasks, in the order of the input and without duplicates.
    pub deleted_task_ids: Vec<Id>,
}

/// The result of deleteTask.
#[derive(SimpleObject)]
pub struct DeleteTaskPayload {
    /// The id of the deleted task.
    pub deleted_task_id: Id,
}
