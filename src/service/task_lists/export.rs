//! Exports of task lists: the document with the present state of each task.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use sha2::{Digest, Sha256};
use task_documents::diagnostic::Diagnostic;
use task_documents::list::{ListDocument, TaskState, export};
use uuid::Uuid;

use crate::db::entity::task::{Column, Entity};
use crate::db::map_error;
use crate::domain::{Error, Result, StoredEnum, TaskList, TaskStatus};
use crate::service::task_lists::documents::StoredDocument;
use crate::service::task_lists::{NOT_FOUND, TaskLists};

/// How often an export is tried while others change the list.
pub(super) const ATTEMPTS: usize = 5;

/// A task list as a document.
pub struct ExportedList {
    pub list: TaskList,
    pub markdown: String,
    /// The first 32 hexadecimal digits of the SHA-256 of the document.
    pub revision: String,
    /// What was not understood of the document, if it was requested.
    pub diagnostics: Vec<Diagnostic>,
}

/// The present states of tasks by their keys: text, whether it is completed, whether it is in the trash.
pub(super) type States = HashMap<String, (String, bool, bool)>;

impl TaskLists<'_> {
    /// The document of a list that is not in the trash, with all changes since it was imported. `with_diagnostics`
    /// tells whether it is read again.
    ///
    /// Errors: NotFound, Forbidden; WriteConflict when others change the list all the time.
    pub async fn export(&self, id: Uuid, with_diagnostics: bool) -> Result<ExportedList> {
        self.get(id).await?;
        self.export_any(id, with_diagnostics).await
    }

    /// The document of a list, also of one in the trash, whose tasks are those that are in the trash with it. Errors:
    /// as [`Self::export`].
    pub async fn export_any(&self, id: Uuid, with_diagnostics: bool) -> Result<ExportedList> {
        for _ in 0..ATTEMPTS {
            let list = self.find_any(id).await?.ok_or(NOT_FOUND)?;
            let Some(document) = self.document(&list).await? else { continue };
            let states = self.states(id).await?;
            // The states belong to this version of the document only if it is still the present one.
            if self.find_any(id).await?.ok_or(NOT_FOUND)?.version != list.version {
                continue;
            }
            let bytes = document.source.len();
            let export = move || exported(&document, &states, with_diagnostics);
            let exported = self.documents().threads.run(self.owner(), bytes, export).await?;
            let (markdown, diagnostics) = exported;
            return Ok(ExportedList { list, revision: revision(&markdown), markdown, diagnostics });
        }
        Err(Error::WriteConflict)
    }

    /// The document of a list as it was last stored, with what it says. The list may be in the trash.
    ///
    /// Errors: NotFound; WriteConflict when others change the list all the time.
    pub async fn stored(&self, id: Uuid) -> Result<Arc<StoredDocument>> {
        for _ in 0..ATTEMPTS {
            let list = self.find_any(id).await?.ok_or(NOT_FOUND)?;
            if let Some(document) = self.document(&list).await? {
                return Ok(document);
            }
        }
        Err(Error::WriteConflict)
    }

    /// The states of all tasks of a list, those in the trash included.
    async fn states(&self, id: Uuid) -> Result<States> {
        type Row = (String, String, String, bool);
        let rows = Entity::find()
            .select_only()
            .columns([Column::Key, Column::Text, Column::Status])
            .column_as(Column::DeletedAt.is_not_null().and(Column::DeletedWithList.is_null()), "in_trash")
            .filter(self.tasks.mine())
            .filter(Column::ListId.eq(id));
        let rows: Vec<Row> = rows.into_tuple().all(&self.tasks.database.read()).await.map_err(map_error)?;
        let is_completed = |status: &str| status == TaskStatus::Completed.name();
        let state = |(key, text, status, in_trash): Row| (key, (text, is_completed(&status), in_trash));
        Ok(rows.into_iter().map(state).collect())
    }
}

pub(super) fn exported(
    document: &StoredDocument,
    states: &States,
    with_diagnostics: bool,
) -> (String, Vec<Diagnostic>) {
    let state = |key: &str| {
        let (text, completed, in_trash) = states.get(key)?;
        Some(TaskState { text, completed: *completed, in_trash: *in_trash })
    };
    let markdown = export(&document.source, &document.outline, state);
    let diagnostics = match with_diagnostics {
        false => Vec::new(),
        true if markdown == document.source => document.outline.diagnostics.clone(),
        true => ListDocument::read(&markdown).diagnostics,
    };
    (markdown, diagnostics)
}

/// The identifier of a document's content: the first 32 hexadecimal digits of its SHA-256.
pub fn revision(markdown: &str) -> String {
    let hash = Sha256::digest(markdown.as_bytes());
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
