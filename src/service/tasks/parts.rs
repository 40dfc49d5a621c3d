//! The task parts of the viewer's tasks: checklists, risks and files. For a page of tasks each kind is read
//! by one statement.

use std::collections::HashMap;

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use crate::db::entity::{checklist_item, file_change, risk, task};
use crate::db::{Transaction, map_error};
use crate::domain::{
    ChecklistItem, Error, FileChange, NewItem, NewParts, Progress, Result, Risk, Section, StoredEnum, new_id,
    ordering,
};
use crate::service::Tasks;

/// The number of rows of one INSERT: SQLite allows 32,766 parameters.
const ROWS_PER_INSERT: usize = 2_000;
/// The maximum number of rows that one statement reads. It is more than a task can have.
const ROWS_PER_READ: usize = 5_000;

/// The task parts of one or several tasks.
#[derive(Default)]
pub struct Parts {
    checklist: Vec<ChecklistItem>,
    risks: Vec<Risk>,
    files: Vec<FileChange>,
}

impl Parts {
    /// Adds new parts of a task.
    pub fn add(&mut self, task_id: Uuid, new: &NewParts) {
        let NewParts { checklist, risks, files } = new;
        self.checklist.extend(checklist_rows(task_id, checklist));
        self.risks.extend(risks.iter().enumerate().map(|(index, new)| Risk {
            id: new_id(),
            task_id,
            description: new.description.clone().into_string(),
            likelihood: new.likelihood,
            impact: new.impact,
            mitigation: new.mitigation.clone(),
            position: ordering::nth(index),
        }));
        self.files.extend(files.iter().enumerate().map(|(index, new)| FileChange {
            id: new_id(),
            task_id,
            path: new.path.clone().into_string(),
            kind: new.kind,
            position: ordering::nth(index),
        }));
    }

    /// Inserts all parts.
    pub async fn insert(self, transaction: &Transaction) -> Result<()> {
        insert::<checklist_item::Entity, _>(transaction, self.checklist).await?;
        insert::<risk::Entity, _>(transaction, self.risks).await?;
        insert::<file_change::Entity, _>(transaction, self.files).await
    }

    /// Replaces the parts of a task with `new`, except for kinds that do not differ. Returns whether any kind
    /// differed.
    pub async fn replace(self, transaction: &Transaction, task_id: Uuid, new: &NewParts) -> Result<bool> {
        let mut replacement = Self::default();
        replacement.add(task_id, new);
        let same_checklist = content_of(&self.checklist) == content_of(&replacement.checklist);
        let same_risks = self.risks.iter().map(risk_values).eq(replacement.risks.iter().map(risk_values));
        let same_files = self.files.iter().map(file_values).eq(replacement.files.iter().map(file_values));
        if same_checklist {
            replacement.checklist.clear();
        } else {
            delete_parts(transaction, checklist_item::Column::TaskId, task_id).await?;
        }
        if same_risks {
            replacement.risks.clear();
        } else {
            delete_parts(transaction, risk::Column::TaskId, task_id).await?;
        }
        if same_files {
            replacement.files.clear();
        } else {
            delete_parts(transaction, file_change::Column::TaskId, task_id).await?;
        }
        replacement.insert(transaction).await?;
        Ok(!(same_checklist && same_risks && same_files))
    }
}

/// The rows of a checklist. Sub-items follow their parent.
pub(in crate::service) fn checklist_rows(task_id: Uuid, items: &[NewItem]) -> Vec<ChecklistItem> {
    let item = |parent_id, index, new: &NewItem| ChecklistItem {
        id: new_id(),
        task_id,
        parent_id,
        section: new.section,
        text: new.text.clone().into_string(),
        done: new.done,
        position: ordering::nth(index),
    };
    let mut rows = Vec::new();
    for (index, new) in items.iter().enumerate() {
        let parent = item(None, index, new);
        let parent_id = Some(parent.id);
        rows.push(parent);
        rows.extend(new.children.iter().enumerate().map(|(index, new)| item(parent_id, index, new)));
    }
    rows
}

/// The content of a checklist without ids. Sub-items follow their parent; the first value tells whether an
/// item has a parent.
fn content_of(items: &[ChecklistItem]) -> Vec<(bool, Section, &str, bool)> {
    let mut children: HashMap<Option<Uuid>, Vec<&ChecklistItem>> = HashMap::new();
    for item in items {
        children.entry(item.parent_id).or_default().push(item);
    }
    let of = |parent: Option<Uuid>| children.get(&parent).cloned().unwrap_or_default();
    let with_children = of(None).into_iter().flat_map(|item| [vec![item], of(Some(item.id))].concat());
    with_children.map(|item| (item.parent_id.is_some(), item.section, &*item.text, item.done)).collect()
}

fn risk_values(risk: &Risk) -> (&str, impl Eq + use<>, Option<&str>) {
    (&risk.description, (risk.likelihood, risk.impact), risk.mitigation.as_deref())
}

fn file_values(file: &FileChange) -> (&str, impl Eq + use<>) {
    (&file.path, file.kind)
}

async fn insert<E, T>(transaction: &Transaction, parts: Vec<T>) -> Result<()>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E> + From<T> + Send,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut rows = parts.into_iter().map(E::ActiveModel::from).peekable();
    while rows.peek().is_some() {
        let batch: Vec<E::ActiveModel> = rows.by_ref().take(ROWS_PER_INSERT).collect();
        E::insert_many(batch).exec_without_returning(transaction).await.map_err(map_error)?;
    }
    Ok(())
}

async fn delete_parts<C>(transaction: &Transaction, task_id_column: C, task_id: Uuid) -> Result<()>
where
    C: ColumnTrait,
    C::EntityName: EntityTrait,
{
    let delete = <C::EntityName as EntityTrait>::delete_many().filter(task_id_column.eq(task_id));
    delete.exec(transaction).await.map_err(map_error).map(drop)
}

/// A value for each task, by task id.
pub type ByTask<T> = HashMap<Uuid, T>;

fn to_domain<T, M>(rows: Vec<M>) -> Result<Vec<T>>
where
    T: TryFrom<M, Error = Error>,
{
    rows.into_iter().map(T::try_from).collect()
}

/// Reading of task parts. A part belongs to the viewer when its task does. While rows are converted, `count`
/// is called for each part, so that too many parts are rejected before all of them are in memory.
impl Tasks<'_> {
    /// Reads the parts of tasks, in order for each task. One statement is sufficient unless there are more
    /// than [`ROWS_PER_READ`] parts.
    ///
    /// Errors: those of `count`.
    async fn read_by_task<E, T>(
        &self,
        select: Select<E>,
        (task_id, position): (E::Column, E::Column),
        tasks: &[Uuid],
        task_of: impl Fn(&T) -> Uuid,
        mut count: impl FnMut(&T) -> Result<()>,
    ) -> Result<ByTask<Vec<T>>>
    where
        E: EntityTrait,
        T: TryFrom<E::Model, Error = Error>,
    {
        let select = select.order_by_asc(task_id).order_by_asc(position).limit(ROWS_PER_READ as u64);
        let (mut parts, mut rest) = (ByTask::<Vec<T>>::new(), tasks.to_vec());
        while !rest.is_empty() {
            let rows = select.clone().filter(id_in(task_id, &rest));
            let rows = rows.all(&self.database.read()).await.map_err(map_error)?;
            let is_truncated = rows.len() == ROWS_PER_READ;
            let mut last = Uuid::nil();
            for row in rows {
                let part = T::try_from(row)?;
                count(&part)?;
                last = task_of(&part);
                parts.entry(last).or_default().push(part);
            }
            if !is_truncated {
                break;
            }
            // The result may be truncated within the last task, so its parts are read again. One task has
            // fewer parts than one statement reads.
            parts.remove(&last);
            rest.retain(|task| *task >= last);
        }
        Ok(parts)
    }

    /// The checklists of the viewer's tasks among these ids. Sub-items and their parents are in one list,
    /// ordered by position.
    ///
    /// Errors: those of `count`.
    pub async fn checklists(
        &self,
        tasks: &[Uuid],
        count: impl FnMut(&ChecklistItem) -> Result<()>,
    ) -> Result<ByTask<Vec<ChecklistItem>>> {
        use checklist_item::{Column, Entity};
        let select = Entity::find().inner_join(task::Entity).filter(self.mine());
        let columns = (Column::TaskId, Column::Position);
        self.read_by_task(select, columns, tasks, |item: &ChecklistItem| item.task_id, count).await
    }

    /// The checklist progress of the viewer's tasks among these ids, without tasks that have no items in
    /// scope.
    pub async fn progress(&self, tasks: &[Uuid]) -> Result<ByTask<Progress>> {
        use checklist_item::{Column, Entity};
        let counts = Entity::find()
            .select_only()
            .columns([Column::TaskId, Column::Done])
            .column_as(Column::Id.count(), "count")
            .inner_join(task::Entity)
            .filter(self.mine())
            .filter(id_in(Column::TaskId, tasks))
            .filter(Column::Section.ne(Section::OutOfScope.name()))
            .group_by(Column::TaskId)
            .group_by(Column::Done);
        let counts: Vec<(Uuid, bool, i64)> =
            counts.into_tuple().all(&self.database.read()).await.map_err(map_error)?;
        let mut progress: ByTask<Progress> = HashMap::new();
        for (task_id, done, count) in counts {
            let count = usize::try_from(count).map_err(Error::internal)?;
            let of_task = progress.entry(task_id).or_default();
            of_task.total += count;
            of_task.done += if done { count } else { 0 };
        }
        Ok(progress)
    }

    /// The risks of the viewer's tasks among these ids.
    ///
    /// Errors: those of `count`.
    pub async fn risks(
        &self,
        tasks: &[Uuid],
        count: impl FnMut(&Risk) -> Result<()>,
    ) -> Result<ByTask<Vec<Risk>>> {
        use risk::{Column, Entity};
        let select = Entity::find().inner_join(task::Entity).filter(self.mine());
        let columns = (Column::TaskId, Column::Position);
        self.read_by_task(select, columns, tasks, |risk: &Risk| risk.task_id, count).await
    }

    /// The files of the viewer's tasks among these ids.
    ///
    /// Errors: those of `count`.
    pub async fn files(
        &self,
        tasks: &[Uuid],
        count: impl FnMut(&FileChange) -> Result<()>,
    ) -> Result<ByTask<Vec<FileChange>>> {
        use file_change::{Column, Entity};
        let select = Entity::find().inner_join(task::Entity).filter(self.mine());
        let columns = (Column::TaskId, Column::Position);
        self.read_by_task(select, columns, tasks, |file: &FileChange| file.task_id, count).await
    }

    /// The checklist items with these ids in active tasks of the viewer.
    pub async fn find_items(&self, ids: &[Uuid]) -> Result<Vec<ChecklistItem>> {
        use checklist_item::{Column, Entity};
        let rows = Entity::find().inner_join(task::Entity).filter(self.active_by_id());
        let rows = rows.filter(id_in(Column::Id, ids));
        to_domain(rows.all(&self.database.read()).await.map_err(map_error)?)
    }

    /// The risks with these ids in active tasks of the viewer.
    pub async fn find_risks(&self, ids: &[Uuid]) -> Result<Vec<Risk>> {
        use risk::{Column, Entity};
        let rows = Entity::find().inner_join(task::Entity).filter(self.active_by_id());
        let rows = rows.filter(id_in(Column::Id, ids));
        to_domain(rows.all(&self.database.read()).await.map_err(map_error)?)
    }

    /// The files with these ids in active tasks of the viewer.
    pub async fn find_files(&self, ids: &[Uuid]) -> Result<Vec<FileChange>> {
        use file_change::{Column, Entity};
        let rows = Entity::find().inner_join(task::Entity).filter(self.active_by_id());
        let rows = rows.filter(id_in(Column::Id, ids));
        to_domain(rows.all(&self.database.read()).await.map_err(map_error)?)
    }

    /// All parts of one task.
    pub(in crate::service) async fn parts_of(
        &self,
        connection: &impl ConnectionTrait,
        task_id: Uuid,
    ) -> Result<Parts> {
        let checklist = self.checklist_of(connection, task_id).await?;
        let risks = risk::Entity::find().filter(risk::Column::TaskId.eq(task_id));
        let risks = risks.order_by_asc(risk::Column::Position).all(connection).await.map_err(map_error)?;
        let files = file_change::Entity::find().filter(file_change::Column::TaskId.eq(task_id));
        let files =
            files.order_by_asc(file_change::Column::Position).all(connection).await.map_err(map_error)?;
        Ok(Parts { checklist, risks: to_domain(risks)?, files: to_domain(files)? })
    }

    /// The checklist of one task. Sub-items and their parents are in one list, ordered by position.
    pub(in crate::service) async fn checklist_of(
        &self,
        connection: &impl ConnectionTrait,
        task_id: Uuid,
    ) -> Result<Vec<ChecklistItem>> {
        use checklist_item::{Column, Entity};
        let rows = Entity::find().filter(Column::TaskId.eq(task_id)).order_by_asc(Column::Position);
        to_domain(rows.all(connection).await.map_err(map_error)?)
    }
}

fn id_in(column: impl ColumnTrait, ids: &[Uuid]) -> SimpleExpr {
    column.is_in(ids.iter().copied())
}
