//! The results of mutations of task parts.

use async_graphql::SimpleObject;
use uuid::Uuid;

use crate::api::scalar::Id;
use crate::api::task::TaskNode;
use crate::api::task_part::{ChecklistItemNode, FileChangeNode, RiskNode};
use crate::auth::Viewer;
use crate::domain::{self};

/// A box that was added or changed.
#[derive(SimpleObject)]
pub struct ChecklistItemPayload {
    /// The box.
    item: ChecklistItemNode,
    /// Its task after the change.
    task: TaskNode,
}

impl ChecklistItemPayload {
    pub fn new((item, task): (domain::ChecklistItem, domain::Task), viewer: &Viewer) -> Self {
        let task = TaskNode::new(task, viewer);
        Self { item: ChecklistItemNode::new(item, task.loader()), task }
    }
}

/// A risk that was added or changed.
#[derive(SimpleObject)]
pub struct RiskPayload {
    /// The risk.
    risk: RiskNode,
    /// Its task after the change.
    task: TaskNode,
}

impl RiskPayload {
    pub fn new((risk, task): (domain::Risk, domain::Task), viewer: &Viewer) -> Self {
        Self { risk: risk.into(), task: TaskNode::new(task, viewer) }
    }
}

/// A file that was added.
#[derive(SimpleObject)]
pub struct FileChangePayload {
    /// The file.
    file: FileChangeNode,
    /// Its task after the change.
    task: TaskNode,
}

impl FileChangePayload {
    pub fn new((file, task): (domain::FileChange, domain::Task), viewer: &Viewer) -> Self {
        Self { file: file.into(), task: TaskNode::new(task, viewer) }
    }
}

/// Something that was removed from a task.
#[derive(SimpleObject)]
pub struct RemovePayload {
    /// Its id.
    removed_id: Id,
    /// The task after the change.
    task: TaskNode,
}

impl RemovePayload {
    pub fn new(removed_id: Uuid, task: domain::Task, viewer: &Viewer) -> Self {
        Self { removed_id: removed_id.into(), task: TaskNode::new(task, viewer) }
    }
}
