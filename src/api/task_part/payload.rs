//! The payloads of the mutations of task parts.

use async_graphql::SimpleObject;
use uuid::Uuid;

use crate::api::scalar::Id;
use crate::api::task::TaskNode;
use crate::api::task_part::{ChecklistItemNode, FileChangeNode, RiskNode};
use crate::auth::Viewer;
use crate::domain;

/// The result of a mutation that adds, changes or moves a checklist item.
#[derive(SimpleObject)]
pub struct ChecklistItemPayload {
    /// The checklist item after the change.
    item: ChecklistItemNode,
    /// The task after the change.
    task: TaskNode,
}

impl ChecklistItemPayload {
    /// The payload for the owner of the task.
    pub fn new((item, task): (domain::ChecklistItem, domain::Task), viewer: &Viewer) -> Self {
        let task = TaskNode::new(task, viewer);
        Self { item: ChecklistItemNode::new(item, task.loader()), task }
    }
}

/// The result of a mutation that adds or changes a risk.
#[derive(SimpleObject)]
pub struct RiskPayload {
    /// The risk after the change.
    risk: RiskNode,
    /// The task after the change.
    task: TaskNode,
}

impl RiskPayload {
    /// The payload for the owner of the task.
    pub fn new((risk, task): (domain::Risk, domain::Task), viewer: &Viewer) -> Self {
        Self { risk: risk.into(), task: TaskNode::new(task, viewer) }
    }
}

/// The result of addFileChange.
#[derive(SimpleObject)]
pub struct FileChangePayload {
    /// The new file.
    file: FileChangeNode,
    /// The task after the change.
    task: TaskNode,
}

impl FileChangePayload {
    /// The payload for the owner of the task.
    pub fn new((file, task): (domain::FileChange, domain::Task), viewer: &Viewer) -> Self {
        Self { file: file.into(), task: TaskNode::new(task, viewer) }
    }
}

/// The result of a mutation that removes a part of a task.
#[derive(SimpleObject)]
pub struct RemovePayload {
    /// The id of the removed checklist item, risk or file.
    removed_id: Id,
    /// The task after the change.
    task: TaskNode,
}

impl RemovePayload {
    /// The payload for the owner of the task.
    pub fn new(removed_id: Uuid, task: domain::Task, viewer: &Viewer) -> Self {
        Self { removed_id: removed_id.into(), task: TaskNode::new(task, viewer) }
    }
}
