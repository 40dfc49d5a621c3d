//! New tasks with a line of their own in the document of a list.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use task_documents::list::{ListTask, NewLine, Place, TaskState, export, insert, is_key, is_story, next_key};
use uuid::Uuid;

use crate::db::entity::task::{self, TaskColumns, TaskRow};
use crate::db::{Transaction, map_error};
use crate::domain::{
    Error, Faults, ListEntry, ListPlace, MAX_DOCUMENT_BYTES, NewTask, PathSegment, Problem, Result, Rule,
    Task, TaskList, TaskScope, one_line, ordering,
};
use crate::service::document_threads::run_in_transaction;
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::documents::StoredDocument;
use crate::service::task_lists::import::{check_count, entry_of};

/// The maximum size of a stored document, in bytes: it grows by the lines that are made on the server.
pub(super) const MAX_SOURCE_BYTES: usize = 2 * MAX_DOCUMENT_BYTES;

/// A new task that belongs to a list, its id, and the path of its input.
pub struct NewListTask<'a> {
    pub new: &'a NewTask,
    pub place: &'a ListPlace,
    pub id: Uuid,
    pub path: Vec<PathSegment>,
}

/// A locked list while tasks are created in it.
struct OpenList {
    list: TaskList,
    document: Arc<StoredDocument>,
    /// The tasks of the list, those in the trash included, in the order of the document.
    rows: Vec<PlacedRow>,
}

struct PlacedRow {
    id: Uuid,
    key: String,
    position: i64,
    in_trash: bool,
    /// Whether the position differs from the stored one.
    has_moved: bool,
}

impl TaskLists<'_> {
    /// Adds a line for each of the tasks, one after the other, and returns the tasks by their ids, for the caller to
    /// insert.
    ///
    /// Errors: NotFound, Forbidden for a list; Invalid for a place, a key or stories, and when a list would be too
    /// large.
    pub(in crate::service) async fn add_lines(
        &self,
        transaction: &Transaction,
        new: &[NewListTask<'_>],
    ) -> Result<HashMap<Uuid, Task>> {
        let mut lists = BTreeMap::new();
        for new in new {
            lists.insert(new.place.list_id, None);
        }
        // Locked in the order of their ids, so that two transactions cannot wait for each other.
        for (id, open) in &mut lists {
            *open = Some(self.open(transaction, *id).await?);
        }
        let mut tasks = HashMap::new();
        for new in new {
            if let Some(Some(open)) = lists.get_mut(&new.place.list_id) {
                tasks.insert(new.id, self.add_line(open, new).await?);
            }
        }
        for open in lists.into_values().flatten() {
            self.save_list(transaction, open).await?;
        }
        Ok(tasks)
    }

    async fn open(&self, transaction: &Transaction, id: Uuid) -> Result<OpenList> {
        let list = self.lock(transaction, id, self.in_scope(TaskScope::Active)).await?;
        let document = self.locked_document(transaction, &list).await?;
        let columns = TaskColumns::shown_by(["key", "deletedAt"]);
        let columns = columns.with_ordered_by(task::Column::ListPosition).set();
        let rows = TaskRow::find_columns(columns)
            .filter(self.tasks.mine())
            .filter(task::Column::ListId.eq(id))
            .order_by_asc(task::Column::ListPosition);
        let rows = TaskRow::all_columns::<PlacedRow>(rows, columns, transaction).await.map_err(map_error)?;
        let keys = rows.iter().map(|row| row.key.clone()).collect();
        let without_purged = {
            let document = document.clone();
            move || without_purged(&document, &keys).map(Arc::new).unwrap_or(document)
        };
        let bytes = document.source.len();
        let document = run_in_transaction(bytes, without_purged).await?;
        Ok(OpenList { list, document, rows })
    }

    async fn add_line(&self, open: &mut OpenList, new: &NewListTask<'_>) -> Result<Task> {
        let (place, key) = open.place(new)?;
        let mut stories: Vec<String> = Vec::new();
        for story in &new.place.stories {
            if !stories.contains(story) {
                stories.push(story.clone());
            }
        }
        let (document, title) = (open.document.clone(), one_line(new.new.title.as_str()));
        let (parallel, list, text) = (new.place.parallel, open.list.id, title.clone());
        let add = move || {
            let line = NewLine { key: &key, parallel, stories: &stories, title: &title };
            let (source, index) = insert(&document.source, &document.outline, place, line);
            (Arc::new(StoredDocument::read(list, source)), index)
        };
        let bytes = open.document.source.len();
        let (document, index) = run_in_transaction(bytes, add).await?;
        if document.source.len() > MAX_SOURCE_BYTES {
            let message = format!("would make the document longer than {MAX_SOURCE_BYTES} bytes");
            return Err(fault(new, "", Problem::new(Rule::TooLong, message)));
        }
        let Some(line) = added(&open.document, &document, index) else {
            let message = "has a document in which a new line would not be read as a task of its own";
            return Err(fault(new, "", Problem::new(Rule::Invalid, message)));
        };
        let entry = entry_of(list, &document, line);
        let position = open.insert_row(new.id, &document, index);
        open.document = document;
        let task = new.new.task(new.id, self.owner(), self.tasks.now());
        let entry = ListEntry { position, text: text.clone(), ..entry };
        Ok(Task { title: text, entry: Some(Box::new(entry)), ..task })
    }

    async fn save_list(&self, transaction: &Transaction, open: OpenList) -> Result<()> {
        for row in open.rows.iter().filter(|row| row.has_moved) {
            let moved =
                task::ActiveModel { list_position: ActiveValue::Set(row.position), ..Default::default() };
            let update = task::Entity::update_many().set(moved).filter(self.tasks.mine());
            update.filter(task::Column::Id.eq(row.id)).exec(transaction).await.map_err(map_error)?;
        }
        let list = open.list.with_next_version(self.tasks.now());
        self.save_with_source(transaction, &list, &open.document.source).await
    }
}

impl OpenList {
    /// The place of a new line, and its key. Errors: Invalid with all faults.
    fn place(&self, new: &NewListTask<'_>) -> Result<(Place, String)> {
        let ListPlace { after, phase, key, stories, .. } = new.place;
        let path = [new.path.clone(), vec!["list".into()]].concat();
        let active = self.rows.iter().filter(|row| !row.in_trash).count();
        check_count(active + 1, &path, "tasks")?;
        let mut faults = Faults::default();
        let place = faults.inside(path, |faults| {
            if after.is_some() && phase.is_some() {
                faults.push("phase", Problem::new(Rule::Conflicting, "cannot be combined with after"));
            }
            let place = match (after, phase) {
                (Some(after), _) => self.after(*after).ok_or("after"),
                (None, Some(phase)) => self.end_of(phase).ok_or("phase"),
                (None, None) => Ok(match self.document.outline.phases.len().checked_sub(1) {
                    Some(last) => Place::EndOfPhase(last),
                    None => Place::EndOfDocument,
                }),
            };
            let key = self.key(faults, key.as_deref());
            for (index, story) in stories.iter().enumerate() {
                if !is_story(story) {
                    let problem = Problem::new(Rule::Invalid, "must be the key of a story such as US1");
                    faults
                        .within("stories", |faults| faults.within(index, |faults| faults.push("", problem)));
                }
            }
            let no_such = |field| match field {
                "after" => Problem::new(Rule::Invalid, "is not a task of the list"),
                _ => {
                    Problem::new(Rule::Invalid, "is neither the number nor the title of a phase of the list")
                }
            };
            let place = place.map_err(|field| faults.push(field, no_such(field))).ok();
            place.zip(key)
        });
        faults.finish(place)
    }

    fn after(&self, task: Uuid) -> Option<Place> {
        let row = self.rows.iter().find(|row| row.id == task && !row.in_trash)?;
        let index = self.document.outline.tasks.iter().position(|task| task.key == row.key)?;
        Some(Place::After(index))
    }

    /// The end of the phase with a number, or with a title if it has no number.
    fn end_of(&self, phase: &str) -> Option<Place> {
        let phases = &self.document.outline.phases;
        let named = |other: &Option<String>, title: &str| match other {
            Some(number) => number == phase,
            None => title == phase,
        };
        phases.iter().position(|other| named(&other.number, &other.title)).map(Place::EndOfPhase)
    }

    fn key(&self, faults: &mut Faults, key: Option<&str>) -> Option<String> {
        let in_source = self.document.outline.tasks.iter().map(|task| task.key.as_str());
        let keys: HashSet<&str> = self.rows.iter().map(|row| row.key.as_str()).chain(in_source).collect();
        let Some(key) = key else { return Some(next_key(keys)) };
        let problem = match (is_key(key), keys.contains(key)) {
            (false, _) => Problem::new(Rule::Invalid, "must be a key such as T001"),
            (true, true) => Problem::new(Rule::Taken, "is taken"),
            (true, false) => return Some(key.to_owned()),
        };
        faults.push("key", problem);
        None
    }

    /// Adds the row of a new task that is the task with this index in the document, and returns its position.
    fn insert_row(&mut self, id: Uuid, document: &StoredDocument, index: usize) -> i64 {
        let places: HashMap<&str, usize> =
            self.rows.iter().enumerate().map(|(at, row)| (row.key.as_str(), at)).collect();
        let earlier = document.outline.tasks[..index].iter().rev();
        let at = earlier.filter_map(|task| places.get(task.key.as_str())).next().map_or(0, |at| at + 1);
        let positions: Vec<i64> = self.rows.iter().map(|row| row.position).collect();
        let placement = ordering::insert(&positions, at);
        for (moved, position) in placement.moved {
            self.rows[moved].position = position;
            self.rows[moved].has_moved = true;
        }
        let key = document.outline.tasks[index].key.clone();
        let row = PlacedRow { id, key, position: placement.position, in_trash: false, has_moved: false };
        self.rows.insert(at, row);
        placement.position
    }
}

impl From<TaskRow> for PlacedRow {
    fn from(row: TaskRow) -> Self {
        let Task { id, deleted_at, entry, .. } = row.into();
        let ListEntry { key, position, .. } = *entry.unwrap_or_default();
        Self { id, key, position, in_trash: deleted_at.is_some(), has_moved: false }
    }
}

/// The new task, if the new document has the tasks of the old one and this one.
fn added<'a>(old: &StoredDocument, new: &'a StoredDocument, index: usize) -> Option<&'a ListTask> {
    let tasks = &new.outline.tasks;
    let added = tasks.get(index)?;
    let others = tasks[..index].iter().chain(&tasks[index + 1..]).map(|task| &task.key);
    others.eq(old.outline.tasks.iter().map(|task| &task.key)).then_some(added)
}

/// The document without the lines of tasks that have been purged: those whose keys are not in `keys`. None when there
/// are none, or when the other tasks would be read with other keys or phases, as `T001#2` would without `T001`.
fn without_purged(document: &StoredDocument, keys: &HashSet<String>) -> Option<StoredDocument> {
    let tasks = &document.outline.tasks;
    let kept: HashMap<&str, &ListTask> =
        tasks.iter().map(|task| (task.key.as_str(), task)).filter(|(key, _)| keys.contains(*key)).collect();
    if kept.len() == tasks.len() {
        return None;
    }
    let unchanged = |key: &str| {
        let task = kept.get(key)?;
        Some(TaskState { text: &task.text, completed: task.ticked, in_trash: false })
    };
    let source = export(&document.source, &document.outline, unchanged);
    let new = StoredDocument::read(document.list, source);
    let kept = tasks.iter().filter(|task| keys.contains(&task.key));
    let kept = kept.map(|task| (&task.key, document.phase_id_of(task)));
    kept.eq(new.outline.tasks.iter().map(|task| (&task.key, new.phase_id_of(task)))).then_some(new)
}

fn fault(new: &NewListTask<'_>, field: &str, problem: Problem) -> Error {
    let mut faults = Faults::default();
    let path = [new.path.clone(), vec!["list".into()]].concat();
    faults.inside(path, |faults| faults.push(field, problem));
    Error::Invalid(faults.into_found())
}
