//! Task documents: import, export and replacement. The document is kept as it came; an export is made from it and
//! from the present values.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use task_documents::diagnostic::Diagnostic;
use task_documents::task::{Limits, TaskDocument, TaskValues, export, write};
use uuid::Uuid;

use crate::db::entity::task::{self, ActiveModel, TaskRow};
use crate::db::entity::task_document::{self, Column, Entity};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{
    Error, Labels, MAX_FILES, MAX_ITEM, MAX_ITEMS, MAX_MITIGATION, MAX_OBJECTIVE, MAX_OWNER_LABEL, MAX_PATH,
    MAX_RATIONALE, MAX_RISK, MAX_RISKS, MAX_TITLE, Result, Task, TaskDetails, TaskStatus, Title, new_id,
};
use crate::service::Tasks;
use crate::service::document_threads::run_in_transaction;
use crate::service::task_lists::revision;
use crate::service::tasks::NOT_FOUND;
use crate::service::tasks::parts::Parts;
use crate::service::tasks::parts::document::{priority_of, status_of, values_of};

/// How often an export is tried while others change the task.
const ATTEMPTS: usize = 5;
const LIMITS: Limits = Limits {
    title: MAX_TITLE,
    owner: MAX_OWNER_LABEL,
    objective: MAX_OBJECTIVE,
    rationale: MAX_RATIONALE,
    item: MAX_ITEM,
    risk: MAX_RISK,
    mitigation: MAX_MITIGATION,
    path: MAX_PATH,
    items: MAX_ITEMS,
    risks: MAX_RISKS,
    files: MAX_FILES,
};

/// A task as a document.
pub struct ExportedTask {
    pub task: Task,
    pub markdown: String,
    /// The first 32 hexadecimal digits of the SHA-256 of the document.
    pub revision: String,
    /// What was not understood of the document, if it was requested.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a task must be, so that its document may be replaced.
#[derive(Clone, Debug)]
pub enum DocumentMatch {
    /// The task has this version.
    Version(i32),
    /// Its export has one of these revisions.
    Revisions(Vec<String>),
    /// Any active task.
    Any,
}

impl Tasks<'_> {
    /// Creates a task from a document, whose size the caller has checked. When one of the viewer's tasks has the
    /// chosen id, returns that task unchanged. Also returns what was not understood of the document.
    ///
    /// Errors: AlreadyExists when something else has the id.
    pub async fn import_document(
        &self,
        id: Option<Uuid>,
        markdown: String,
    ) -> Result<(Task, Vec<Diagnostic>)> {
        let (markdown, TaskDocument { values, diagnostics, .. }) = self.read_document(markdown).await?;
        let now = self.now();
        let status = status_of(values.status);
        let task = Task {
            id: id.unwrap_or_else(new_id),
            owner_id: self.viewer.user_id(),
            title: values.title.clone(),
            description: None,
            status,
            priority: priority_of(values.priority),
            labels: Labels::default(),
            due_at: None,
            completed_at: (status == TaskStatus::Completed).then_some(now),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            version: 1,
            details: details_of(&values),
            entry: None,
        };
        let created = in_transaction!(self.database, |transaction| {
            let known = self.existing_with_client_ids(&transaction, &[id], |_| vec!["input".into()]).await?;
            if let Some(existing) = known.into_values().next() {
                return Ok(existing);
            }
            self.insert_rows(&transaction, vec![ActiveModel::from(&task)]).await?;
            Parts::of_document(task.id, &values, &Parts::default()).insert(&transaction).await?;
            keep_source(&transaction, task.id, &markdown).await?;
            Ok(task.clone())
        })?;
        Ok((created, diagnostics))
    }

    /// Replaces the document of a task, whose size the caller has checked. Every value that a document can hold
    /// becomes what the new one says. A document that changes nothing does not change the version.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the task is not as expected.
    pub async fn replace_document(
        &self,
        id: Uuid,
        markdown: String,
        expected: &DocumentMatch,
    ) -> Result<(Task, Vec<Diagnostic>)> {
        // An error about the task comes before the document is read.
        self.get(id).await?;
        let (markdown, TaskDocument { values, diagnostics, .. }) = self.read_document(markdown).await?;
        let task = in_transaction!(self.database, |transaction| {
            let version = match expected {
                DocumentMatch::Version(version) => Some(*version),
                DocumentMatch::Revisions(_) | DocumentMatch::Any => None,
            };
            let task = self.lock(&transaction, id, version).await?;
            let old = self.parts_of(&transaction, id).await?;
            let source = source_of(&transaction, id).await?;
            let bytes = source.as_ref().map_or(0, String::len);
            let export = export_of(&task, &old, source.clone(), false);
            let (present, _) = run_in_transaction(bytes, export).await?;
            if let DocumentMatch::Revisions(revisions) = expected
                && !revisions.contains(&revision(&present))
            {
                return Err(Error::VersionConflict { object: "task", current: task.version });
            }
            if present == markdown {
                return Ok(task);
            }
            let title = Title::parse(&values.title).map_err(|problem| {
                Error::internal(anyhow::anyhow!("the title of a document {}", problem.message))
            })?;
            let edit = crate::domain::TaskEdit::of_document(
                title,
                status_of(values.status),
                priority_of(values.priority),
                details_of(&values),
            );
            let mut edited = task.edited(&edit, self.now())?;
            let new = Parts::of_document(id, &values, &old);
            let has_new_parts = !new.is_same(&old);
            if has_new_parts {
                old.delete(&transaction, id).await?;
                new.insert(&transaction).await?;
            }
            let has_new_source = source.as_ref() != Some(&markdown);
            if has_new_source {
                keep_source(&transaction, id, &markdown).await?;
            }
            if edited == task && (has_new_parts || has_new_source) {
                edited = edited.with_next_version(self.now());
            }
            self.save(&transaction, &task, edited).await
        })?;
        Ok((task, diagnostics))
    }

    /// The document of an active task: the imported one with all changes since, or a new one. `with_diagnostics` tells
    /// whether it is read again.
    ///
    /// Errors: NotFound, Forbidden; WriteConflict when others change the task all the time.
    pub async fn export_document(&self, id: Uuid, with_diagnostics: bool) -> Result<ExportedTask> {
        self.get(id).await?;
        self.export_any(id, with_diagnostics).await
    }

    /// The document of a task, also of one in the trash. Errors: as [`Self::export_document`].
    pub async fn export_any(&self, id: Uuid, with_diagnostics: bool) -> Result<ExportedTask> {
        for _ in 0..ATTEMPTS {
            let task = self.any(id).await?;
            let read = self.database.read();
            let parts = self.parts_of(&read, id).await?;
            let source = source_of(&read, id).await?;
            // The parts belong to this version of the task only if it is still the present one.
            if self.any(id).await?.version != task.version {
                continue;
            }
            let bytes = source.as_ref().map_or(0, String::len);
            let export = export_of(&task, &parts, source, with_diagnostics);
            let (markdown, diagnostics) = self.documents.threads.run(task.owner_id, bytes, export).await?;
            return Ok(ExportedTask { task, revision: revision(&markdown), markdown, diagnostics });
        }
        Err(Error::WriteConflict)
    }

    /// A task of the viewer, also one in the trash. Errors: NotFound.
    async fn any(&self, id: Uuid) -> Result<Task> {
        let rows = TaskRow::find().filter(self.mine()).filter(task::Column::Id.eq(id));
        let rows: Vec<Task> = TaskRow::all(rows, &self.database.read()).await.map_err(map_error)?;
        rows.into_iter().next().ok_or(NOT_FOUND)
    }

    async fn read_document(&self, markdown: String) -> Result<(String, TaskDocument)> {
        let bytes = markdown.len();
        let read = move || {
            let document = TaskDocument::read(&markdown, &LIMITS);
            (markdown, document)
        };
        self.documents.threads.run(self.viewer.user_id(), bytes, read).await
    }

    /// The diagnostics of a task document, which is not stored.
    pub async fn diagnose_document(&self, markdown: String) -> Result<Vec<Diagnostic>> {
        Ok(self.read_document(markdown).await?.1.diagnostics)
    }
}

/// The work of an export: the document, and its diagnostics if they are requested.
fn export_of(
    task: &Task,
    parts: &Parts,
    source: Option<String>,
    with_diagnostics: bool,
) -> impl FnOnce() -> (String, Vec<Diagnostic>) + Send + 'static {
    let values = values_of(task, parts);
    move || {
        let markdown = match &source {
            Some(source) => export(source, &TaskDocument::read(source, &LIMITS), &values),
            None => write(&values),
        };
        let read = || TaskDocument::read(&markdown, &LIMITS).diagnostics;
        let diagnostics = if with_diagnostics { read() } else { Vec::new() };
        (markdown, diagnostics)
    }
}

fn details_of(values: &TaskValues) -> TaskDetails {
    TaskDetails {
        date: values.date,
        owner_label: values.owner.clone(),
        objective: values.objective.clone(),
        rationale: values.rationale.clone(),
    }
}

/// The document from which a task was imported.
async fn source_of(connection: &impl ConnectionTrait, task: Uuid) -> Result<Option<String>> {
    let source = Entity::find().select_only().column(Column::Source).filter(Column::TaskId.eq(task));
    source.into_tuple().one(connection).await.map_err(map_error)
}

async fn keep_source(transaction: &Transaction, task: Uuid, source: &str) -> Result<()> {
    let row = task_document::ActiveModel {
        task_id: ActiveValue::Set(task),
        source: ActiveValue::Set(source.to_owned()),
    };
    let replace = OnConflict::column(Column::TaskId).update_column(Column::Source).to_owned();
    let insert = Entity::insert(row).on_conflict(replace).exec_without_returning(transaction);
    insert.await.map_err(map_error).map(drop)
}
