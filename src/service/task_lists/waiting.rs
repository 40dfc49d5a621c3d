//! Which tasks wait for which: of a list, or of tasks that belong to no list, with all that these wait for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use sea_orm::sea_query::{ExprTrait, JoinType, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef,
};
use task_documents::list::{ListNow, ListTask, TaskNow, Waiting};
use uuid::Uuid;

use crate::db::entity::task::{Column, Entity};
use crate::db::entity::task_list::TaskListRow;
use crate::db::entity::{parse_stored, task_dependency, task_list};
use crate::db::{Transaction, map_error};
use crate::domain::{Error, Instant, Result, TaskList, TaskOrdering, TaskStatus};
use crate::service::document_threads::run_in_transaction;
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::documents::StoredDocument;
use crate::service::task_lists::export::ATTEMPTS;
use crate::service::task_lists::liveness::{claim_of_task, is_live};
use crate::service::task_rows::is_active;

/// The maximum number of tasks of `waitsFor`.
const MAX_WAITS_FOR: usize = 20;
/// The number of ids of one statement.
pub(super) const IDS_PER_READ: usize = 1_000;
/// How far added dependencies are followed: the number of steps from lists and tasks to others, and of lists and of tasks
/// that belong to none.
const MAX_STEPS: usize = 100;
const MAX_ASKED: usize = 1_000;
/// The maximum number of lists among them.
const MAX_LISTS: usize = 20;
/// The memory of a loaded task besides its texts, in bytes, estimated: its row, its numbers, and its place in the graph.
const TASK_BYTES: usize = 400;

/// The tasks whose waiting is asked for.
#[derive(Clone, Debug, Default)]
pub struct WaitingSeeds {
    /// All tasks of these lists.
    pub lists: Vec<Uuid>,
    /// Those of these tasks that belong to no list.
    pub outside: Vec<Uuid>,
}

impl WaitingSeeds {
    /// Conditions that select the tasks of the seeds, a part of them each.
    fn conditions(&self) -> impl Iterator<Item = SimpleExpr> {
        let lists = self.lists.chunks(IDS_PER_READ);
        let lists = lists.map(|ids| Column::ListId.is_in(ids.iter().copied()));
        lists.chain(self.conditions_of_outside())
    }

    fn conditions_of_outside(&self) -> impl Iterator<Item = SimpleExpr> {
        let outside = self.outside.chunks(IDS_PER_READ);
        outside.map(|ids| Column::Id.is_in(ids.iter().copied()).and(Column::ListId.is_null()))
    }
}

/// Which tasks are part of what is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trash {
    LeftOut,
    Included,
}

/// Which tasks wait for which. It has the tasks of the seeds, and those that they can wait for.
pub struct WaitingTasks {
    /// By number. None for a task that is in the trash or was deleted for good.
    tasks: Vec<Option<WaitingTask>>,
    numbers: HashMap<Uuid, usize>,
    lists: Vec<NumberedList>,
    waiting: Waiting,
}

/// A list, its document, and the numbers of its tasks in the order of the document.
struct NumberedList {
    list: TaskList,
    document: Arc<StoredDocument>,
    numbers: Range<usize>,
}

/// A task, as far as waiting is concerned.
#[derive(Clone, Debug)]
pub struct WaitingTask {
    pub id: Uuid,
    pub version: i32,
    pub key: String,
    pub text: String,
    pub status: TaskStatus,
    position: i64,
    is_claimed: bool,
}

/// What has been loaded.
#[derive(Default)]
struct Loaded {
    lists: Vec<LoadedList>,
    outside: Vec<WaitingTask>,
    /// The added dependencies: the task that waits, and the one for which it waits.
    added: Vec<(Uuid, Uuid)>,
    /// The ids of the lists, and of the tasks that belong to none, that have been asked for.
    asked: HashSet<Uuid>,
}

struct LoadedList {
    list: TaskList,
    document: Arc<StoredDocument>,
    rows: Vec<WaitingTask>,
}

/// How rows are read.
struct Reading<'c, C> {
    connection: &'c C,
    /// The transaction, if the connection belongs to one.
    transaction: Option<&'c Transaction>,
    /// The time at which claims are live.
    now: Instant,
    trash: Trash,
}

impl TaskLists<'_> {
    /// What the tasks of the seeds wait for. `count` is told the memory that is used, in bytes, estimated.
    ///
    /// Errors: those of a statement and of `count`; WriteConflict when others change a list all the time.
    pub async fn waiting(
        &self,
        seeds: &WaitingSeeds,
        count: impl FnMut(usize) -> Result<()>,
    ) -> Result<WaitingTasks> {
        let connection = self.tasks.database.read();
        let now = self.tasks.shared_now(&connection).await?;
        let reading = Reading { connection: &connection, transaction: None, now, trash: Trash::LeftOut };
        let loaded = self.load(&reading, seeds, count).await?;
        let bytes = loaded.bytes();
        self.documents().threads.run(self.owner(), bytes, move || WaitingTasks::new(loaded)).await
    }

    /// What the tasks of the seeds wait for, at a time by the clock of the database.
    pub(super) async fn waiting_in(
        &self,
        transaction: &Transaction,
        seeds: &WaitingSeeds,
        now: Instant,
    ) -> Result<WaitingTasks> {
        let trash = Trash::LeftOut;
        let reading = Reading { connection: transaction, transaction: Some(transaction), now, trash };
        let loaded = self.load(&reading, seeds, |_| Ok(())).await?;
        run_in_transaction(loaded.bytes(), move || WaitingTasks::new(loaded)).await
    }

    /// The dependencies that the document of a list states, without added ones, also those of tasks in the trash.
    pub(super) async fn stated_in(&self, transaction: &Transaction, list: Uuid) -> Result<WaitingTasks> {
        let (now, trash) = (self.tasks.now(), Trash::Included);
        let reading = Reading { connection: transaction, transaction: Some(transaction), now, trash };
        let mut loaded = Loaded::default();
        loaded.lists.extend(self.list_with_rows(&reading, list).await?);
        run_in_transaction(loaded.bytes(), move || WaitingTasks::new(loaded)).await
    }

    async fn load<C: ConnectionTrait>(
        &self,
        reading: &Reading<'_, C>,
        seeds: &WaitingSeeds,
        mut count: impl FnMut(usize) -> Result<()>,
    ) -> Result<Loaded> {
        let (mut loaded, mut next) = (Loaded::default(), seeds.clone());
        for step in 0.. {
            loaded.asked.extend(next.lists.iter().chain(&next.outside));
            for condition in next.conditions_of_outside() {
                loaded.outside.extend(self.rows(reading, condition).await?);
            }
            for list in &next.lists {
                let Some(list) = self.list_with_rows(reading, *list).await? else { continue };
                count(list.rows.iter().map(|row| TASK_BYTES + row.text.len()).sum())?;
                loaded.lists.push(list);
            }
            let added = self.added(reading.connection, &next).await?;
            let unknown = self.unknown(reading.connection, &loaded, &added).await?;
            loaded.added.extend(added);
            if unknown.is_empty() {
                break;
            }
            next = loaded.seeds_of(&unknown);
            if step == MAX_STEPS || !loaded.has_room_for(&next) {
                // What these tasks wait for is not known, only whether they are completed.
                for ids in unknown.keys().copied().collect::<Vec<_>>().chunks(IDS_PER_READ) {
                    let of_ids = Column::Id.is_in(ids.iter().copied());
                    loaded.outside.extend(self.rows(reading, of_ids).await?);
                }
                break;
            }
        }
        Ok(loaded)
    }

    /// The tasks that wait for each task of the seeds because a client added the dependency, the oldest first.
    pub async fn added_blocks(&self, seeds: &WaitingSeeds) -> Result<HashMap<Uuid, Vec<Uuid>>> {
        let mut blocks: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for condition in seeds.conditions() {
            let blocking = Entity::find().select_only().column(Column::Id).filter(self.tasks.mine());
            let blocking = blocking.filter(condition).into_query();
            let rows = task_dependency::Entity::find()
                .select_only()
                .columns([task_dependency::Column::BlockedById, task_dependency::Column::TaskId])
                .join(JoinType::InnerJoin, waiting_task())
                .filter(task_dependency::Column::BlockedById.in_subquery(blocking))
                .filter(is_active())
                .order_by_asc(Column::CreatedAt)
                .order_by_asc(Column::Id);
            let rows: Vec<(Uuid, Uuid)> =
                rows.into_tuple().all(&self.tasks.database.read()).await.map_err(map_error)?;
            for (blocking, waiting) in rows {
                blocks.entry(blocking).or_default().push(waiting);
            }
        }
        Ok(blocks)
    }

    /// A list with its document and the rows that belong to it. None when it has been deleted for good. Errors: as
    /// [`Self::waiting`].
    async fn list_with_rows<C: ConnectionTrait>(
        &self,
        reading: &Reading<'_, C>,
        id: Uuid,
    ) -> Result<Option<LoadedList>> {
        for _ in 0..ATTEMPTS {
            let Some(list) = self.list_on(reading.connection, id).await? else { return Ok(None) };
            let document = match reading.transaction {
                Some(transaction) => Some(self.locked_document(transaction, &list).await?),
                None => self.document(&list).await?,
            };
            let Some(document) = document else { continue };
            self.documents().keep(&list, &document);
            let rows = self.rows(reading, Column::ListId.eq(id)).await?;
            // The rows belong to this version of the document only if it is still the present one.
            let after = self.list_on(reading.connection, id).await?;
            if after.is_some_and(|after| after.version == list.version) {
                return Ok(Some(LoadedList { list, document, rows }));
            }
        }
        Err(Error::WriteConflict)
    }

    async fn list_on(&self, connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<TaskList>> {
        let list = TaskListRow::find().filter(self.mine()).filter(task_list::Column::Id.eq(id));
        let list: Vec<TaskList> = TaskListRow::all(list, connection).await.map_err(map_error)?;
        Ok(list.into_iter().next())
    }

    async fn rows<C: ConnectionTrait>(
        &self,
        reading: &Reading<'_, C>,
        condition: SimpleExpr,
    ) -> Result<Vec<WaitingTask>> {
        type Row = (Uuid, i32, Option<String>, Option<String>, String, i64, Option<bool>);
        let rows = Entity::find()
            .select_only()
            .columns([Column::Id, Column::Version, Column::Key, Column::Text])
            .columns([Column::Status, Column::ListPosition])
            .column_as(is_live(reading.now), "is_claimed")
            .join(JoinType::LeftJoin, claim_of_task())
            .filter(self.tasks.mine())
            .filter(condition);
        let rows = if reading.trash == Trash::LeftOut { rows.filter(is_active()) } else { rows };
        let rows: Vec<Row> = rows.into_tuple().all(reading.connection).await.map_err(map_error)?;
        let task = |(id, version, key, text, status, position, is_claimed): Row| {
            Ok(WaitingTask {
                id,
                version,
                key: key.unwrap_or_default(),
                text: text.unwrap_or_default(),
                status: parse_stored(&status)?,
                position,
                is_claimed: is_claimed.unwrap_or_default(),
            })
        };
        rows.into_iter().map(task).collect()
    }

    /// The added dependencies of the tasks of the seeds, in the order in which they were added to each task.
    async fn added(
        &self,
        connection: &impl ConnectionTrait,
        seeds: &WaitingSeeds,
    ) -> Result<Vec<(Uuid, Uuid)>> {
        let mut found = Vec::new();
        for condition in seeds.conditions() {
            let added = task_dependency::Entity::find()
                .select_only()
                .columns([task_dependency::Column::TaskId, task_dependency::Column::BlockedById])
                .join(JoinType::InnerJoin, waiting_task())
                .filter(self.tasks.mine())
                .filter(condition)
                .order_by_asc(task_dependency::Column::TaskId)
                .order_by_asc(task_dependency::Column::Position);
            let added: Vec<(Uuid, Uuid)> = added.into_tuple().all(connection).await.map_err(map_error)?;
            found.extend(added);
        }
        Ok(found)
    }

    /// The tasks for which others wait and that have not been loaded, each with its list. A task of a list that has been
    /// loaded is left out: it is in the trash.
    async fn unknown(
        &self,
        connection: &impl ConnectionTrait,
        loaded: &Loaded,
        added: &[(Uuid, Uuid)],
    ) -> Result<BTreeMap<Uuid, Option<Uuid>>> {
        let rows = loaded.lists.iter().flat_map(|list| &list.rows).chain(&loaded.outside);
        let known: HashSet<Uuid> = rows.map(|row| row.id).collect();
        let blocking = added.iter().map(|(_, blocking)| *blocking);
        let ids: BTreeSet<Uuid> = blocking.filter(|id| !known.contains(id)).collect();
        let mut unknown = BTreeMap::new();
        for ids in ids.into_iter().collect::<Vec<_>>().chunks(IDS_PER_READ) {
            let rows = Entity::find().select_only().columns([Column::Id, Column::ListId]);
            let rows = rows.filter(self.tasks.mine()).filter(Column::Id.is_in(ids.iter().copied()));
            let rows: Vec<(Uuid, Option<Uuid>)> =
                rows.into_tuple().all(connection).await.map_err(map_error)?;
            unknown
                .extend(rows.into_iter().filter(|(id, list)| !loaded.asked.contains(&list.unwrap_or(*id))));
        }
        Ok(unknown)
    }
}

impl Loaded {
    /// What has to be loaded next, for these tasks and their lists.
    fn seeds_of(&self, unknown: &BTreeMap<Uuid, Option<Uuid>>) -> WaitingSeeds {
        let lists: BTreeSet<Uuid> = unknown.values().copied().flatten().collect();
        let outside = unknown.iter().filter(|(_, list)| list.is_none()).map(|(id, _)| *id);
        WaitingSeeds { lists: lists.into_iter().collect(), outside: outside.collect() }
    }

    /// Whether the next lists and tasks may be loaded.
    fn has_room_for(&self, next: &WaitingSeeds) -> bool {
        self.lists.len() + next.lists.len() <= MAX_LISTS
            && self.asked.len() + next.lists.len() + next.outside.len() <= MAX_ASKED
    }

    /// The size of all documents, in bytes.
    fn bytes(&self) -> usize {
        self.lists.iter().map(|list| list.document.source.len()).sum()
    }
}

impl WaitingTasks {
    fn new(loaded: Loaded) -> Self {
        let (mut tasks, mut lists) = (Vec::new(), Vec::new());
        for LoadedList { list, document, rows } in loaded.lists {
            let first = tasks.len();
            tasks.resize(first + document.outline.tasks.len(), None);
            for row in rows {
                if let Some(index) = document.outline.index_of(&row.key) {
                    tasks[first + index] = Some(row);
                }
            }
            lists.push(NumberedList { list, document, numbers: first..tasks.len() });
        }
        let first_outside = tasks.len();
        tasks.extend(loaded.outside.into_iter().map(Some));
        let ids = tasks.iter().enumerate().filter_map(|(number, task)| Some((task.as_ref()?.id, number)));
        let numbers: HashMap<Uuid, usize> = ids.collect();
        let added = loaded.added.iter();
        let added = added.filter_map(|(task, other)| Some((*numbers.get(task)?, *numbers.get(other)?)));
        let outside: Vec<bool> =
            tasks[first_outside..].iter().flatten().map(WaitingTask::is_completed).collect();
        let lists_now: Vec<ListNow<'_>> = lists.iter().map(|list| list.now(&tasks)).collect();
        let waiting = Waiting::new(&lists_now, &outside, &added.collect::<Vec<_>>());
        Self { tasks, numbers, lists, waiting }
    }

    /// Whether work on a task can begin. False for a task that is not part of this.
    pub fn is_ready(&self, task: Uuid) -> bool {
        self.numbers.get(&task).is_some_and(|number| self.is_ready_at(*number))
    }

    fn is_ready_at(&self, number: usize) -> bool {
        let task = self.tasks[number].as_ref();
        task.is_some_and(|task| task.status == TaskStatus::Pending && !task.is_claimed)
            && !self.waiting.is_waiting(number)
    }

    /// The ready tasks of a list, in the order of the document: their places, and their ids.
    pub fn ready_of(&self, list: Uuid) -> Vec<(i64, Uuid)> {
        let tasks = self.tasks_of(list).filter(|(_, number, _)| self.is_ready_at(*number));
        tasks.map(|(_, _, task)| (task.position, task.id)).collect()
    }

    /// The tasks of a list in the order of the document: each with its line, and whether it is ready.
    pub(super) fn lines_of(&self, list: Uuid) -> impl Iterator<Item = (&ListTask, &WaitingTask, bool)> {
        self.tasks_of(list).map(|(line, number, task)| (line, task, self.is_ready_at(number)))
    }

    fn tasks_of(&self, list: Uuid) -> impl Iterator<Item = (&ListTask, usize, &WaitingTask)> {
        let list = self.lists.iter().find(|numbered| numbered.list.id == list);
        let lines =
            list.into_iter().flat_map(|list| list.document.outline.tasks.iter().zip(list.numbers.clone()));
        lines.filter_map(|(line, number)| Some((line, number, self.tasks[number].as_ref()?)))
    }

    /// The tasks on which a task depends directly: the stated ones first.
    pub fn blocked_by(&self, task: Uuid) -> Vec<Uuid> {
        let number = self.numbers.get(&task);
        self.ids(number.map_or(&[], |number| self.waiting.blocked_by(*number)))
    }

    /// The tasks that depend directly on a task, of the lists and tasks that are part of this.
    pub fn blocks(&self, task: Uuid) -> Vec<Uuid> {
        let number = self.numbers.get(&task);
        self.ids(number.map_or(&[], |number| self.waiting.blocks(*number)))
    }

    /// The first open tasks for which a task waits.
    pub fn waits_for(&self, task: Uuid) -> Vec<Uuid> {
        let number = self.numbers.get(&task);
        self.ids(&number.map_or_else(Vec::new, |number| self.waiting.waits_for(*number, MAX_WAITS_FOR)))
    }

    /// Whether a task is part of this.
    pub fn contains(&self, task: Uuid) -> bool {
        self.numbers.contains_key(&task)
    }

    fn ids(&self, numbers: &[usize]) -> Vec<Uuid> {
        numbers.iter().filter_map(|number| Some(self.tasks[*number].as_ref()?.id)).collect()
    }
}

impl NumberedList {
    fn now<'a>(&'a self, tasks: &'a [Option<WaitingTask>]) -> ListNow<'a> {
        let now = |task: &'a Option<WaitingTask>| {
            let task = task.as_ref()?;
            Some(TaskNow { text: &task.text, is_completed: task.is_completed() })
        };
        ListNow {
            document: &self.document.outline,
            is_marked: self.list.ordering == TaskOrdering::Marked,
            tasks: tasks[self.numbers.clone()].iter().map(now).collect(),
        }
    }
}

impl WaitingTask {
    fn is_completed(&self) -> bool {
        self.status == TaskStatus::Completed
    }
}

fn waiting_task() -> RelationDef {
    task_dependency::Entity::belongs_to(Entity).from(task_dependency::Column::TaskId).to(Column::Id).into()
}
