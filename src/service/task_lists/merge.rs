//! Merges a newer version of a document into a list.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::sea_query::JoinType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use task_documents::diagnostic::Diagnostic;
use task_documents::list::{ListTask, title_of};
use task_documents::merge::{
    ChangeKind, ConflictKind, Decisions, Merge, Merged, MergedTask, ServerTask, Side, UnknownDecisions, merge,
};
use uuid::Uuid;

use crate::db::entity::task::{Column, Entity, TaskColumns, TaskRow};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{
    Error, Faults, ListEntry, MergeDecisions, MergeSide, PathSegment, Problem, Result, Rule, Task, TaskList,
    TaskScope, TaskStatus, ordering,
};
use crate::service::document_threads::run_in_transaction;
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::documents::StoredDocument;
use crate::service::task_lists::export::{States, exported, revision};
use crate::service::task_lists::import::{check_count, entry_of, new_task};
use crate::service::task_lists::insert::MAX_SOURCE_BYTES;
use crate::service::task_lists::liveness::{claim_of_task, is_live};

/// The number of complete tasks that are in memory at one time while they are written.
const TASKS_PER_WRITE: usize = 200;
/// The fields of a task that a merge compares or changes.
const COMPARED_FIELDS: [&str; 17] = [
    "title",
    "status",
    "completedAt",
    "updatedAt",
    "deletedAt",
    "version",
    "key",
    "text",
    "details",
    "parallel",
    "stories",
    "phase",
    "phaseNumber",
    "listPosition",
    "baseVersion",
    "deletedWithList",
    "claimId",
];

/// What a merge has done, or would do.
pub struct ListMerge {
    pub list: TaskList,
    /// False for a dry run, and when a conflict has no decision: then nothing has changed.
    pub applied: bool,
    /// The conflicts without a decision.
    pub conflicts: Vec<ListMergeConflict>,
    pub changes: Vec<ListMergeChange>,
    /// What was not understood of the new document.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of tasks after the merge, without those in the trash.
    pub tasks: usize,
    /// The revision of the list after the merge. It is empty when the merge was not applied.
    pub revision: String,
}

/// A task that both sides have changed in ways that cannot both be kept.
pub struct ListMergeConflict {
    pub kind: ConflictKind,
    pub key: String,
    /// The text in the document of the last import or merge, the present one, and the one in the new document.
    pub base: String,
    pub server: String,
    pub file: Option<String>,
    pub task: Uuid,
}

/// What a merge does to one task.
pub struct ListMergeChange {
    pub kind: ChangeKind,
    pub key: String,
    pub previous_key: Option<String>,
    /// None for a task that a merge which was not applied would add.
    pub task: Option<Uuid>,
}

/// A merge that was computed before its list was locked. It counts if the list is still the same.
struct EarlyMerge {
    input: Arc<MergeInput>,
    outcome: Result<Merged>,
}

/// A list that is being merged, its tasks in the order of the document, and the new document.
struct MergeInput {
    list: TaskList,
    document: Arc<StoredDocument>,
    rows: Vec<Task>,
    /// The tasks with a live claim.
    claimed: HashSet<Uuid>,
    file: Arc<StoredDocument>,
}

impl TaskLists<'_> {
    /// Merges a document, whose size the caller has checked, into a list: completely, or not at all.
    ///
    /// Errors: NotFound, Forbidden; RevisionConflict when the list does not have the revision; Invalid at `path`
    /// when there would be too many tasks, and for a decision about a key that has no conflict.
    pub async fn merge(
        &self,
        id: Uuid,
        markdown: String,
        decisions: &MergeDecisions,
        path: &[PathSegment],
    ) -> Result<ListMerge> {
        // An error about the list comes before those about the document.
        self.get(id).await?;
        let bytes = markdown.len();
        let read = move || Arc::new(StoredDocument::read(id, markdown));
        let file = self.documents().threads.run(self.owner(), bytes, read).await?;
        check_count(file.outline.tasks.len(), path, "tasks")?;
        let mut early = self.merge_early(id, &file, decisions).await;
        let (mut merge, document, states) = in_transaction!(self.tasks.database, |transaction| {
            self.merge_locked(&transaction, (id, &file), decisions, early.take(), path).await
        })?;
        if merge.applied {
            self.documents().keep(&merge.list, &document);
            let bytes = document.source.len();
            let export = move || revision(&exported(&document, &states, false).0);
            merge.revision = self.documents().threads.run(self.owner(), bytes, export).await?;
        }
        Ok(merge)
    }

    async fn merge_locked(
        &self,
        transaction: &Transaction,
        (id, file): (Uuid, &Arc<StoredDocument>),
        decisions: &MergeDecisions,
        early: Option<EarlyMerge>,
        path: &[PathSegment],
    ) -> Result<(ListMerge, Arc<StoredDocument>, States)> {
        let list = self.lock(transaction, id, self.in_scope(TaskScope::Active)).await?;
        let document = self.locked_document(transaction, &list).await?;
        let rows = self.tasks_of(transaction, id, true).await?;
        let claimed = self.claimed(transaction, id).await?;
        let input = Arc::new(MergeInput { list, document, rows, claimed, file: file.clone() });
        let outcome = match early {
            Some(early) if early.input.is_as(&input) => early.outcome,
            _ => {
                let bytes = input.document.source.len() + file.source.len();
                run_in_transaction(bytes, compute(&input, decisions)).await?
            }
        };
        let Merged { conflicts, changes, source, document, tasks } = outcome?;
        let active = tasks.iter().filter(|task| !task.in_trash).count();
        check_count(active, path, "tasks")?;
        check_size(&source, path)?;
        let document = Arc::new(StoredDocument::new(id, source, document));
        let applied = conflicts.is_empty() && !decisions.dry_run;
        let (new_ids, list) = match applied {
            true => self.apply(transaction, &input, &tasks, &document).await?,
            false => (HashMap::new(), input.list.clone()),
        };
        let conflict = |conflict: &task_documents::merge::Conflict| ListMergeConflict {
            kind: conflict.kind,
            key: conflict.key.clone(),
            base: conflict.base.clone(),
            server: conflict.server.clone(),
            file: conflict.file.clone(),
            task: input.rows[conflict.task].id,
        };
        let change = |change: &task_documents::merge::Change| ListMergeChange {
            kind: change.kind,
            key: change.key.clone(),
            previous_key: change.previous_key.clone(),
            task: match change.server {
                Some(row) => Some(input.rows[row].id),
                None => new_ids.get(&change.task).copied(),
            },
        };
        let conflicts = conflicts.iter().map(conflict).collect();
        let changes = changes.iter().map(change).collect();
        let states = input.states_after(&tasks, &document);
        let (diagnostics, revision) = (file.outline.diagnostics.clone(), String::new());
        let merge = ListMerge { list, applied, conflicts, changes, diagnostics, tasks: active, revision };
        Ok((merge, document, states))
    }

    /// Computes a merge before the list is locked, so that others do not wait for it. None when the list cannot be
    /// merged, or has changed in the meantime.
    async fn merge_early(
        &self,
        id: Uuid,
        file: &Arc<StoredDocument>,
        decisions: &MergeDecisions,
    ) -> Option<EarlyMerge> {
        let list = self.find(id).await.ok()??;
        let document = self.document(&list).await.ok()??;
        let connection = self.tasks.database.read();
        let rows = self.tasks_of(&connection, id, false).await.ok()?;
        let claimed = self.claimed(&connection, id).await.ok()?;
        let input = Arc::new(MergeInput { list, document, rows, claimed, file: file.clone() });
        let bytes = input.document.source.len() + file.source.len();
        let compute = compute(&input, decisions);
        let outcome = self.documents().threads.run(self.owner(), bytes, compute).await.ok()?;
        Some(EarlyMerge { input, outcome })
    }

    /// The tasks of a list that have a live claim.
    async fn claimed(&self, connection: &impl ConnectionTrait, list: Uuid) -> Result<HashSet<Uuid>> {
        let now = self.tasks.shared_now(connection).await?;
        let claimed = Entity::find().select_only().column(Column::Id).filter(self.tasks.mine());
        let claimed = claimed.join(JoinType::InnerJoin, claim_of_task()).filter(Column::ListId.eq(list));
        let claimed: Vec<Uuid> =
            claimed.filter(is_live(now)).into_tuple().all(connection).await.map_err(map_error)?;
        Ok(claimed.into_iter().collect())
    }

    /// All tasks of a list, those in the trash included, in the order of the document. Only the fields of
    /// [`COMPARED_FIELDS`] are read.
    async fn tasks_of(
        &self,
        connection: &impl ConnectionTrait,
        list: Uuid,
        is_locked: bool,
    ) -> Result<Vec<Task>> {
        let columns = TaskColumns::shown_by(COMPARED_FIELDS).set();
        let rows = TaskRow::find_columns(columns)
            .filter(self.tasks.mine())
            .filter(Column::ListId.eq(list))
            .order_by_asc(Column::Id);
        let rows = if is_locked { rows.lock_exclusive() } else { rows };
        let mut rows = TaskRow::all_columns::<Task>(rows, columns, connection).await.map_err(map_error)?;
        rows.sort_by_key(|task| (entry(task).position, task.id));
        Ok(rows)
    }

    /// Writes the tasks that differ, and the list. Returns the ids of the new tasks by their index, and the list.
    async fn apply(
        &self,
        transaction: &Transaction,
        input: &MergeInput,
        tasks: &[MergedTask],
        document: &StoredDocument,
    ) -> Result<(HashMap<usize, Uuid>, TaskList)> {
        let now = self.tasks.now();
        let old = tasks.iter().map(|task| task.server.map(|row| entry(&input.rows[row]).position));
        let positions = ordering::fill(&old.collect::<Vec<_>>());
        let (mut new, mut new_ids, mut changed) = (Vec::new(), HashMap::new(), HashMap::new());
        for (index, task) in tasks.iter().enumerate() {
            let line = &document.outline.tasks[index];
            let entry_now = ListEntry {
                position: positions[index],
                text: task.text.clone(),
                base_version: task.in_file.then_some(1),
                ..entry_of(input.list.id, document, line)
            };
            let Some(row) = task.server else {
                let task = new_task(&input.list, entry_now, task.completed.unwrap_or(line.ticked), now);
                new_ids.insert(index, task.id);
                new.push(task);
                continue;
            };
            let before = &input.rows[row];
            let title = title_of(&entry_now.key, &entry_now.text);
            let after = before.merged(entry_now, title, (task.completed, task.in_trash), now);
            if after != *before {
                changed.insert(before.id, after);
            }
        }
        self.save_changed(transaction, changed).await?;
        self.insert_tasks(transaction, &new).await?;
        let list = input.list.clone().with_next_version(now);
        let list = TaskList { title: document.outline.title.clone(), ..list };
        self.save_with_source(transaction, &list, &document.source).await?;
        Ok((new_ids, list))
    }

    /// Writes the compared fields of tasks, of which the others have not been read.
    async fn save_changed(&self, transaction: &Transaction, mut changed: HashMap<Uuid, Task>) -> Result<()> {
        let mut ids: Vec<Uuid> = changed.keys().copied().collect();
        ids.sort_unstable();
        for batch in ids.chunks(TASKS_PER_WRITE) {
            let rows = TaskRow::find().filter(self.tasks.mine()).filter(Column::Id.is_in(batch.to_vec()));
            let mut tasks = TaskRow::all::<Task>(rows, transaction).await.map_err(map_error)?;
            for task in &mut tasks {
                let Some(after) = changed.remove(&task.id) else { continue };
                let Task { owner_id, description, labels, details, priority, due_at, created_at, .. } =
                    task.clone();
                *task =
                    Task { owner_id, description, labels, details, priority, due_at, created_at, ..after };
            }
            self.save_tasks(transaction, &tasks).await?;
        }
        Ok(())
    }
}

impl MergeInput {
    /// Whether the list is the same in both.
    fn is_as(&self, other: &Self) -> bool {
        self.list == other.list && self.rows == other.rows && self.claimed == other.claimed
    }

    fn server_task<'a>(&self, task: &'a Task, from_current: bool) -> ServerTask<'a> {
        let entry = entry(task);
        let is_later = entry.base_version.is_some_and(|base| task.version > base);
        ServerTask {
            key: &entry.key,
            text: &entry.text,
            completed: task.status == TaskStatus::Completed,
            in_trash: task.deleted_at.is_some(),
            in_base: entry.base_version.is_some(),
            // A worker is busy with a claimed task, so that it must not be removed without a decision.
            is_changed: self.claimed.contains(&task.id) || (!from_current && is_later),
        }
    }

    fn states(&self) -> States {
        let state = |task: &Task| {
            let completed = task.status == TaskStatus::Completed;
            (entry(task).key.clone(), (entry(task).text.clone(), completed, task.deleted_at.is_some()))
        };
        self.rows.iter().map(state).collect()
    }

    /// The states after a merge that has this document and these tasks.
    fn states_after(&self, tasks: &[MergedTask], document: &StoredDocument) -> States {
        let state = |(task, line): (&MergedTask, &ListTask)| {
            let was_completed = || match task.server {
                Some(row) => self.rows[row].status == TaskStatus::Completed,
                None => line.ticked,
            };
            let completed = task.completed.unwrap_or_else(was_completed);
            (line.key.clone(), (task.text.clone(), completed, task.in_trash))
        };
        tasks.iter().zip(&document.outline.tasks).map(state).collect()
    }
}

/// The work of a merge. Its result is RevisionConflict when the list does not have the revision from which the document
/// was made, and Invalid for a decision about a key that has no conflict.
fn compute(
    input: &Arc<MergeInput>,
    decisions: &MergeDecisions,
) -> impl FnOnce() -> Result<Merged> + Send + 'static {
    let (input, expected) = (input.clone(), decisions.revisions.clone());
    let decisions = Decisions {
        single: decisions.single.iter().map(|(key, side)| (key.clone(), side_of(*side))).collect(),
        all_others: decisions.all_others.map(side_of),
    };
    move || {
        let (export, _) = exported(&input.document, &input.states(), false);
        // A file that is the export of the list, byte for byte, was made from it: it changes nothing.
        let from_current = expected.is_some() || export == input.file.source;
        if let Some(expected) = expected {
            let current = revision(&export);
            if !expected.contains(&current) {
                return Err(Error::RevisionConflict { current });
            }
        }
        let tasks: Vec<ServerTask<'_>> =
            input.rows.iter().map(|task| input.server_task(task, from_current)).collect();
        let merged = merge(Merge {
            source: (&input.document.source, &input.document.outline),
            tasks: &tasks,
            file: (&input.file.source, &input.file.outline),
            from_current,
            decisions: &decisions,
        });
        merged.map_err(|UnknownDecisions(unknown)| {
            let mut faults = Faults::of("input");
            for index in unknown {
                let path = vec!["resolutions".into(), index.into()];
                let problem = Problem::new(Rule::Invalid, "is not the key of a conflict");
                faults.inside(path, |faults| faults.push("key", problem));
            }
            Error::Invalid(faults.into_found())
        })
    }
}

/// What a task of a list has from its line.
fn entry(task: &Task) -> &ListEntry {
    task.entry.as_deref().expect("the statement selects only tasks of a list")
}

fn side_of(side: MergeSide) -> Side {
    match side {
        MergeSide::File => Side::File,
        MergeSide::Server => Side::Server,
    }
}

/// Errors: Invalid at `path` when a document would become too large to be stored.
fn check_size(source: &str, path: &[PathSegment]) -> Result<()> {
    let mut faults = Faults::default();
    if source.len() > MAX_SOURCE_BYTES {
        let message = format!(
            "leads to a document of more than {MAX_SOURCE_BYTES} bytes, together with the tasks that only the server \
             has and those in the trash"
        );
        faults.inside(path.to_vec(), |faults| faults.push("", Problem::new(Rule::TooLong, message)));
    }
    faults.into_result()
}
