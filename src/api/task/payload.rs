//! The results of mutations of tasks.

use async_graphql::SimpleObject;

use crate::api::scalar::Id;
use crate::api::task::TaskNode;
use crate::graphql::direct_json::{DirectList, DirectObject};

/// A new task.
#[derive(SimpleObject)]
pub struct CreateTaskPayload {
    /// The task that was made.
    pub task: DirectObject<TaskNode>,
}

/// A changed task.
#[derive(SimpleObject)]
pub struct UpdateTaskPayload {
    /// The task after the change.
    pub task: DirectObject<TaskNode>,
}

/// Several tasks.
#[derive(SimpleObject)]
pub struct TasksPayload {
    /// The tasks after the change, in the order they were given.
    pub tasks: DirectList<TaskNode>,
}

/// Several deleted tasks.
#[derive(SimpleObject)]
pub struct DeleteTasksPayload {
    /// Their ids, in the order they were given, each once.
    pub deleted_task_ids: Vec<Id>,
}

/// A deleted task.
#[derive(SimpleObject)]
pub struct DeleteTaskPayload {
    /// Its id.
    pub deleted_task_id: Id,
}
