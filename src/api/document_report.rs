//! What became of a document: the JSON of responses to requests that carry a document as bytes. The names of enum
//! values are those of the schema.

use serde::Serialize;
use uuid::Uuid;

use crate::api::diagnostic::Diagnostic;
use crate::api::enum_name;
use crate::api::task_list::merge::{MergeChangeKind, MergeConflictKind};
use crate::domain::{Task, TaskList};
use crate::service::{self, ListMerge, ListMergeChange, ListMergeConflict};

/// What became of a document. A value that a request does not report is left out.
#[derive(Serialize)]
pub struct DocumentReport {
    /// The id of the task or of the task list.
    pub id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The number of tasks of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<usize>,
    /// What a merge did.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Change>>,
    /// The diagnostics of the document that was sent.
    diagnostics: Vec<Diagnostic>,
    /// The revision of the export from now on.
    #[serde(skip)]
    pub revision: String,
}

/// What a merge did to one task.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    #[serde(serialize_with = "enum_name::serialize")]
    kind: MergeChangeKind,
    key: String,
    previous_key: Option<String>,
}

/// A conflict of a merge that needs a decision.
#[derive(Serialize)]
pub struct Conflict {
    #[serde(serialize_with = "enum_name::serialize")]
    kind: MergeConflictKind,
    key: String,
    base: String,
    server: String,
    file: Option<String>,
}

impl DocumentReport {
    /// The report about a task whose document was imported or replaced.
    pub fn of_task(task: Task, diagnostics: Vec<service::Diagnostic>, revision: String) -> Self {
        let diagnostics = Diagnostic::all(diagnostics);
        Self { id: task.id, title: Some(task.title), tasks: None, changes: None, diagnostics, revision }
    }

    /// The report about a list that was imported with this number of tasks.
    pub fn of_list(
        list: TaskList,
        tasks: usize,
        diagnostics: Vec<service::Diagnostic>,
        revision: String,
    ) -> Self {
        let diagnostics = Diagnostic::all(diagnostics);
        Self {
            id: list.id,
            title: Some(list.title),
            tasks: Some(tasks),
            changes: None,
            diagnostics,
            revision,
        }
    }

    /// The report about a merge that was applied.
    pub fn of_merge(merge: ListMerge) -> Self {
        let ListMerge { list, changes, diagnostics, tasks, revision, .. } = merge;
        let changes = Some(changes.into_iter().map(Change::from).collect());
        let diagnostics = Diagnostic::all(diagnostics);
        Self { id: list.id, title: None, tasks: Some(tasks), changes, diagnostics, revision }
    }
}

impl From<ListMergeChange> for Change {
    fn from(change: ListMergeChange) -> Self {
        let ListMergeChange { kind, key, previous_key, task: _ } = change;
        Self { kind: kind.into(), key, previous_key }
    }
}

impl From<ListMergeConflict> for Conflict {
    fn from(conflict: ListMergeConflict) -> Self {
        let ListMergeConflict { kind, key, base, server, file, task: _ } = conflict;
        Self { kind: kind.into(), key, base, server, file }
    }
}
