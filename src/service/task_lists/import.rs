//! Import of task lists.

use std::collections::HashSet;
use std::sync::Arc;

use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter};
use task_documents::diagnostic::Diagnostic;
use task_documents::list::{ListDocument, ListTask, title_of};
use uuid::Uuid;

use crate::db::entity::task_list::{ActiveModel, Column, Entity, TaskListRow};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{
    Error, Faults, Instant, Labels, ListEntry, MAX_TASKS_PER_LIST, PathSegment, Problem, Result, Rule, Task,
    TaskDetails, TaskList, TaskOrdering, TaskPriority, TaskStatus, new_id, ordering,
};
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::documents::StoredDocument;
use crate::service::task_rows::{insert_error, without_index};
use crate::service::tasks::{TRASH_RETENTION, deleted_users};
use crate::service::unique_ids::{self, Kind};

impl TaskLists<'_> {
    /// Creates a list and its tasks from a document, whose size the caller has checked. When one of the viewer's
    /// lists has the chosen id, returns that list unchanged. Also returns the number of tasks of the document, and what
    /// was not understood of it.
    ///
    /// Errors: Invalid at `path` with too many tasks; AlreadyExists when something else has the id.
    pub async fn import(
        &self,
        id: Option<Uuid>,
        markdown: String,
        ordering: TaskOrdering,
        path: &[PathSegment],
    ) -> Result<(TaskList, usize, Vec<Diagnostic>)> {
        let chosen = id;
        let id = id.unwrap_or_else(new_id);
        let bytes = markdown.len();
        let read = move || Arc::new(StoredDocument::read(id, markdown));
        let document = self.documents().threads.run(self.owner(), bytes, read).await?;
        check_count(document.outline.tasks.len(), path, "tasks")?;
        let now = self.tasks.now();
        let list = TaskList {
            id,
            owner_id: self.owner(),
            title: document.outline.title.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            version: 1,
            ordering,
        };
        let tasks = new_tasks(&list, &document, now);
        let diagnostics = document.outline.diagnostics.clone();
        let created = in_transaction!(self.tasks.database, |transaction| {
            if let Some(id) = chosen
                && let Some(existing) = self.existing(&transaction, id).await?
            {
                return Ok(existing);
            }
            let row =
                ActiveModel { source: ActiveValue::Set(document.source.clone()), ..ActiveModel::from(&list) };
            let none_inserted = Entity::insert(row)
                .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
                .exec_without_returning(&transaction)
                .await
                .map_err(insert_error)?;
            // Another transaction has inserted the id in the meantime.
            if none_inserted == 0 {
                return Err(Error::WriteConflict);
            }
            self.insert_tasks(&transaction, &tasks).await?;
            Ok(list.clone())
        })?;
        if created == list {
            self.documents().keep(&created, &document);
        }
        Ok((created, tasks.len(), diagnostics))
    }

    /// The diagnostics of a document, which is not stored and whose size the caller has checked.
    ///
    /// Errors: Invalid at `path` with too many tasks.
    pub async fn diagnose(&self, markdown: String, path: &[PathSegment]) -> Result<Vec<Diagnostic>> {
        let bytes = markdown.len();
        let read = move || ListDocument::read(&markdown);
        let document = self.documents().threads.run(self.owner(), bytes, read).await?;
        check_count(document.tasks.len(), path, "tasks")?;
        Ok(document.diagnostics)
    }

    /// The viewer's list with an id that the client chose; one in the trash, too.
    ///
    /// Errors: AlreadyExists when something else has the id.
    async fn existing(&self, transaction: &Transaction, id: Uuid) -> Result<Option<TaskList>> {
        // Lists that have expired in the trash and lists of deleted accounts no longer occupy their ids.
        let expired = self.mine().and(Column::DeletedAt.lte(self.tasks.now() - TRASH_RETENTION));
        let expired = without_index(expired.or(Column::OwnerId.in_subquery(deleted_users())));
        let delete = Entity::delete_many().filter(Column::Id.eq(id)).filter(expired);
        delete.exec(transaction).await.map_err(map_error)?;
        // The row may belong to another user. Of such a row, only the owner is used.
        let rows = TaskListRow::find().filter(Column::Id.eq(id));
        let known: Vec<TaskList> = TaskListRow::all(rows, transaction).await.map_err(map_error)?;
        let ids = HashSet::from([id]);
        let is_taken = match known.first() {
            Some(list) => list.owner_id != self.owner(),
            None => !unique_ids::of_other_kinds(transaction, Kind::List, &ids).await?.is_empty(),
        };
        if is_taken { Err(id_is_taken()) } else { Ok(known.into_iter().next()) }
    }
}

/// The error for a chosen id that something else has.
pub(super) fn id_is_taken() -> Error {
    let mut faults = Faults::of("input");
    faults.push("id", Problem::new(Rule::Taken, "is taken"));
    Error::AlreadyExists(faults.into_found())
}

/// The tasks of a new list.
fn new_tasks(list: &TaskList, document: &StoredDocument, now: Instant) -> Vec<Task> {
    let task = |(index, task)| {
        let entry = entry_of(list.id, document, task);
        new_task(
            list,
            ListEntry { position: ordering::nth(index), base_version: Some(1), ..entry },
            task.ticked,
            now,
        )
    };
    document.outline.tasks.iter().enumerate().map(task).collect()
}

/// A new task of a list with default values.
pub(super) fn new_task(list: &TaskList, entry: ListEntry, completed: bool, now: Instant) -> Task {
    Task {
        id: new_id(),
        owner_id: list.owner_id,
        title: title_of(&entry.key, &entry.text),
        description: None,
        status: if completed { TaskStatus::Completed } else { TaskStatus::Pending },
        priority: TaskPriority::default(),
        labels: Labels::default(),
        due_at: None,
        completed_at: completed.then_some(now),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        version: 1,
        details: TaskDetails::default(),
        entry: Some(Box::new(entry)),
    }
}

/// What a task has from its line. The position is 0, and it counts as made on the server.
pub(super) fn entry_of(list: Uuid, document: &StoredDocument, task: &ListTask) -> ListEntry {
    let phase = task.phase.and_then(|index| document.outline.phases.get(index));
    ListEntry {
        list_id: list,
        key: task.key.clone(),
        text: task.text.clone(),
        details: task.details.clone(),
        parallel: task.parallel,
        stories: task.stories.clone(),
        phase_id: document.phase_id_of(task),
        phase_number: phase.and_then(|phase| phase.number.clone()),
        position: 0,
        base_version: None,
        deleted_with_list: false,
        claim_id: None,
    }
}

/// Errors: Invalid at `path` when a list would have too many tasks.
pub(super) fn check_count(count: usize, path: &[PathSegment], what: &str) -> Result<()> {
    let mut faults = Faults::default();
    if count > MAX_TASKS_PER_LIST {
        let message = format!("must not lead to more than {MAX_TASKS_PER_LIST} {what} in one list");
        faults.inside(path.to_vec(), |faults| faults.push("", Problem::new(Rule::TooMany, message)));
    }
    faults.into_result()
}
