//! Loads the lists and tasks from which it is computed what waits for what.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sea_orm::sea_query::{ExprTrait, JoinType, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef,
};
use uuid::Uuid;

use crate::db::entity::task::{Column, Entity};
use crate::db::entity::task_list::TaskListRow;
use crate::db::entity::{parse_stored, task_dependency, task_list};
use crate::db::{Transaction, map_error};
use crate::domain::{Error, Instant, Result, TaskList};
use crate::service::document_threads::run_in_transaction;
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::export::ATTEMPTS;
use crate::service::task_lists::liveness::{claim_of_task, is_live};
use crate::service::task_lists::waiting::{Loaded, LoadedList, WaitingSeeds, WaitingTask, WaitingTasks};
use crate::service::task_rows::is_active;

/// The number of ids of one statement.
pub(super) const IDS_PER_READ: usize = 1_000;
/// How far added dependencies are followed: the number of steps.
const MAX_STEPS: usize = 100;
/// How far added dependencies are followed: the number of lists.
const MAX_LISTS: usize = 20;
/// How far added dependencies are followed: the number of lists, and of tasks that belong to none, together.
const MAX_ASKED: usize = 1_000;
/// The memory of a loaded task besides its texts, in bytes, estimated: its row, its numbers, and its place in the graph.
const TASK_BYTES: usize = 400;

impl WaitingSeeds {
    /// The lists of these tasks, and those that belong to none.
    fn of(tasks: &BTreeMap<Uuid, Option<Uuid>>) -> Self {
        let lists: BTreeSet<Uuid> = tasks.values().copied().flatten().collect();
        let outside = tasks.iter().filter(|(_, list)| list.is_none()).map(|(id, _)| *id);
        Self { lists: lists.into_iter().collect(), outside: outside.collect() }
    }

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
            next = WaitingSeeds::of(&unknown);
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

fn waiting_task() -> RelationDef {
    task_dependency::Entity::belongs_to(Entity).from(task_dependency::Column::TaskId).to(Column::Id).into()
}
