//! The base of a merge: what each task was when both sides began to change it.

use std::collections::HashMap;

use super::types::{Merge, ServerTask};
use crate::list::{self, ListDocument, ListTask, TaskState};

/// A task of the base.
#[derive(Clone, Debug)]
pub(super) struct BaseTask {
    pub key: String,
    pub text: String,
    pub ticked: bool,
    pub details: Option<String>,
    /// Whether the server has changed the text since.
    pub has_new_text: bool,
    /// Whether the server has changed the box since.
    pub has_new_box: bool,
}

impl BaseTask {
    /// The task as a document has it that was written before the changes of the server.
    fn before(written: &ListTask, task: &ServerTask<'_>) -> Self {
        Self {
            has_new_text: written.text != task.text,
            has_new_box: written.ticked != task.completed,
            ..Self::now(written)
        }
    }

    /// The task as a document has it that says what the server says. A text of the server can be read from
    /// the document in another form, for example when it begins with a separator. This is no change.
    fn now(written: &ListTask) -> Self {
        Self {
            key: written.key.clone(),
            text: written.text.clone(),
            ticked: written.ticked,
            details: written.details.clone(),
            has_new_text: false,
            has_new_box: false,
        }
    }

    /// The task of the server, for a task that a document should have and does not have.
    fn without_document(task: &ServerTask<'_>) -> Self {
        Self {
            key: task.key.to_owned(),
            text: task.text.to_owned(),
            ticked: task.completed,
            details: None,
            has_new_text: false,
            has_new_box: false,
        }
    }
}

/// The task of the base for each task of the list. None for a task that the base does not have.
pub(super) fn tasks(input: &Merge<'_>) -> Vec<Option<BaseTask>> {
    if input.from_current {
        return tasks_of_export(input);
    }
    let by_key = by_key(input.source.1);
    let base = |task: &ServerTask<'_>| match by_key.get(task.key) {
        Some(&written) => BaseTask::before(written, task),
        None => BaseTask::without_document(task),
    };
    input.tasks.iter().map(|task| task.in_base.then(|| base(task))).collect()
}

/// The tasks of the present export, which has no tasks of the trash.
///
/// A repeated key can have another number in the export than in the list, because the export leaves lines
/// out. So the tasks of both are matched by position.
fn tasks_of_export(input: &Merge<'_>) -> Vec<Option<BaseTask>> {
    let export = read_export(input);
    let active = input.tasks.iter().filter(|task| !task.in_trash).count();
    let mut written = export.tasks.iter();
    let mut base = |task: &ServerTask<'_>| match written.next() {
        Some(written) if export.tasks.len() == active => BaseTask::now(written),
        _ => BaseTask::without_document(task),
    };
    input.tasks.iter().map(|task| (!task.in_trash).then(|| base(task))).collect()
}

fn read_export(input: &Merge<'_>) -> ListDocument {
    let states: HashMap<&str, TaskState<'_>> = input
        .tasks
        .iter()
        .map(|task| {
            let state = TaskState { text: task.text, completed: task.completed, in_trash: task.in_trash };
            (task.key, state)
        })
        .collect();
    let (source, document) = input.source;
    ListDocument::read(&list::export(source, document, |key| states.get(key).copied()))
}

/// The tasks of a document by their keys.
pub(super) fn by_key(document: &ListDocument) -> HashMap<&str, &ListTask> {
    document.tasks.iter().map(|task| (task.key.as_str(), task)).collect()
}
