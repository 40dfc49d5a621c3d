//! The result of a merge: conflicts and changes.

use std::collections::HashMap;

use async_graphql::{Context, Enum, SimpleObject};
use uuid::Uuid;

use crate::api::context::RequestExt;
use crate::api::diagnostic::Diagnostic;
use crate::api::memory_size::MemorySize;
use crate::api::task::TaskNode;
use crate::api::task::connection::selected_names;
use crate::api::task_list::TaskListNode;
use crate::domain::{Error, Result, Task};
use crate::graphql::direct_json::long_text::LongText;
use crate::service::{self, ListMerge, ListMergeChange, ListMergeConflict, TaskColumns};

/// The result of a merge.
#[derive(SimpleObject)]
pub struct MergeTaskListPayload {
    /// The list after the merge. When `applied` is false, the list is unchanged.
    task_list: TaskListNode,
    /// Whether the merge was applied. It is false for a dry run, and when a conflict has no decision.
    applied: bool,
    /// The conflicts without a decision, in the order of the document. Removed tasks come last.
    conflicts: Vec<MergeConflict>,
    /// What the merge did, or would do, to each task, in the order of the document. Removed tasks come last.
    changes: Vec<MergeChange>,
    /// The diagnostics of the new document.
    diagnostics: Vec<Diagnostic>,
}

impl MergeTaskListPayload {
    /// The payload of a merge. The tasks are read only if they are selected.
    pub async fn new(ctx: &Context<'_>, merge: ListMerge) -> Result<Self> {
        let request = ctx.request();
        let viewer = request.authenticated_viewer()?;
        let selected = selected_names(ctx);
        let of_conflicts = merge.conflicts.iter().map(|conflict| conflict.task);
        let mut ids: Vec<Uuid> =
            of_conflicts.chain(merge.changes.iter().filter_map(|change| change.task)).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut tasks: HashMap<Uuid, TaskNode> = HashMap::new();
        if selected.contains(&"task") {
            let columns = TaskColumns::shown_by(selected);
            let found = request.services().tasks_read(viewer)?.find_any(&ids, columns).await?;
            request.share().take(found.iter().map(Task::memory_size).sum())?;
            tasks.extend(TaskNode::all(found, viewer).into_iter().map(|task| (task.id.0, task)));
        }
        let conflicts = merge.conflicts.into_iter().map(|conflict| MergeConflict::new(conflict, &tasks));
        let conflicts = conflicts.collect::<Result<_>>()?;
        let changes = merge.changes.into_iter().map(|change| MergeChange::new(change, &tasks)).collect();
        Ok(Self {
            task_list: TaskListNode::new(merge.list, viewer, request),
            applied: merge.applied,
            conflicts,
            changes,
            diagnostics: Diagnostic::all(merge.diagnostics),
        })
    }
}

/// A task that the document and the server have both changed since the last import or merge, in ways that cannot both
/// be kept.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct MergeConflict {
    /// The key of the task in the new document. When the document does not have the task, the key on the server.
    key: String,
    /// What both sides did.
    kind: MergeConflictKind,
    /// The text of the task in the document of the last import or merge.
    base: LongText,
    /// The text of the task on the server.
    server: LongText,
    /// The text of the task in the new document. Null when the document does not have the task.
    file: Option<LongText>,
    #[graphql(skip)]
    node: Option<TaskNode>,
}

#[async_graphql::ComplexObject]
impl MergeConflict {
    /// The task on the server. It may be in the trash.
    async fn task(&self) -> Result<&TaskNode, crate::graphql::error::FieldError> {
        let missing = || Error::internal(anyhow::anyhow!("the task of a conflict was not read"));
        Ok(self.node.as_ref().ok_or_else(missing)?)
    }
}

impl MergeConflict {
    fn new(conflict: ListMergeConflict, tasks: &HashMap<Uuid, TaskNode>) -> Result<Self> {
        let ListMergeConflict { kind, key, base, server, file, task } = conflict;
        Ok(Self {
            key,
            kind: kind.into(),
            base: LongText(base),
            server: LongText(server),
            file: file.map(LongText),
            node: tasks.get(&task).cloned(),
        })
    }
}

/// What a merge does to one task. A merge reports at most one change of each kind for a task.
#[derive(SimpleObject)]
pub struct MergeChange {
    /// The kind of the change.
    kind: MergeChangeKind,
    /// The key of the task after the merge.
    key: String,
    /// The key before the merge. It is set for the kind RENUMBERED only.
    previous_key: Option<String>,
    /// The task. Null for a task that a dry run, or a merge that was not applied, would add.
    task: Option<TaskNode>,
}

impl MergeChange {
    fn new(change: ListMergeChange, tasks: &HashMap<Uuid, TaskNode>) -> Self {
        let ListMergeChange { kind, key, previous_key, task } = change;
        Self { kind: kind.into(), key, previous_key, task: task.and_then(|task| tasks.get(&task).cloned()) }
    }
}

/// The kinds of merge conflicts.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "service::ConflictKind")]
pub enum MergeConflictKind {
    /// Both sides changed the text, and the two new texts differ.
    Text,
    /// The document no longer has the task, but the task was changed on the server.
    RemovedInFile,
    /// The task is in the trash on the server, but the document has changed it.
    RemovedOnServer,
}

/// The kinds of changes that a merge can make.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "service::ChangeKind")]
pub enum MergeChangeKind {
    /// The task is new in the document and is created.
    Added,
    /// The document no longer has the task, which is moved to the trash.
    Removed,
    /// The task is restored from the trash with the document's version.
    Restored,
    /// The task gets another key.
    Renumbered,
    /// The task gets the text of the document.
    Text,
    /// The box is ticked in the document, so the task is completed.
    Completed,
    /// The box is no longer ticked in the document, so the task is reopened.
    Reopened,
    /// The task moves to another phase, or its stories or its mark [P] change.
    Moved,
    /// A text or status that was changed on the server is kept, although the document has another one; or a task is
    /// kept that the document no longer has.
    Kept,
    /// The task was completed on the server and stays completed, although the document has changed its text. It should
    /// be reviewed.
    KeptOnNewText,
}
