//! Reads the parts of several tasks: each kind with one statement for a page of tasks.

use std::collections::HashMap;

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::to_domain;
use crate::db::entity::{checklist_item, file_change, risk, task};
use crate::db::map_error;
use crate::domain::{ChecklistItem, Error, FileChange, Progress, Result, Risk, Section, StoredEnum};
use crate::service::Tasks;

/// The maximum number of rows that one statement reads. It is more than a task can have.
const ROWS_PER_READ: usize = 5_000;

/// A value for each task, by task id.
pub type ByTask<T> = HashMap<Uuid, T>;

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
}

fn id_in(column: impl ColumnTrait, ids: &[Uuid]) -> SimpleExpr {
    column.is_in(ids.iter().copied())
}
