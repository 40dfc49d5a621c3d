//! Creation of tasks.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::db::entity::task::{ActiveModel, Column, Entity, TaskRow};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Faults, NewTask, PathSegment, Problem, Result, Rule, Task, new_id};
use crate::service::Tasks;
use crate::service::task_lists::{NewListTask, TaskLists};
use crate::service::task_rows::{insert_error, without_index};
use crate::service::tasks::parts::Parts;
use crate::service::tasks::{TRASH_RETENTION, deleted_users};
use crate::service::unique_ids::{self, Kind};

impl Tasks<'_> {
    /// Creates a task. When the client chose an id that one of the viewer's tasks already has, returns that
    /// task unchanged.
    ///
    /// Errors: AlreadyExists when something else has the id.
    pub async fn create(&self, new: NewTask) -> Result<Task> {
        if new.id.is_none() && new.parts.is_empty() && new.place.is_none() {
            let task = new.task(new_id(), self.viewer.user_id(), self.now());
            let created = self.coalesced.new_tasks.submit(task.clone()).await;
            self.database.notify();
            return created.map(|()| task);
        }
        let new = [new];
        let path_of = |_| vec!["input".into()];
        let tasks =
            in_transaction!(self.database, |transaction| self.insert_all(&transaction, &new, path_of).await)?;
        tasks.into_iter().next().ok_or_else(|| Error::internal(anyhow::anyhow!("no task was created")))
    }

    /// Creates all tasks or none, as [`Tasks::create`] does.
    ///
    /// Errors: AlreadyExists when something else has one of the ids.
    pub async fn create_all(&self, new: &[NewTask]) -> Result<Vec<Task>> {
        let path_of = |index: usize| vec!["inputs".into(), index.into()];
        in_transaction!(self.database, |transaction| self.insert_all(&transaction, new, path_of).await)
    }

    async fn insert_all(
        &self,
        transaction: &Transaction,
        new: &[NewTask],
        path_of: impl Fn(usize) -> Vec<PathSegment>,
    ) -> Result<Vec<Task>> {
        let chosen: Vec<Option<Uuid>> = new.iter().map(|new| new.id).collect();
        let mut known = self.existing_with_client_ids(transaction, &chosen, &path_of).await?;
        let ids: Vec<Uuid> = new.iter().map(|new| new.id.unwrap_or_else(new_id)).collect();
        let mut placed = self.placed(transaction, new, &ids, &known, path_of).await?;
        let (mut tasks, mut rows, mut parts) = (Vec::new(), Vec::new(), Parts::default());
        let now = self.now();
        for (new, id) in new.iter().zip(ids) {
            let task = known.entry(id).or_insert_with(|| {
                let task = placed.remove(&id).unwrap_or_else(|| new.task(id, self.viewer.user_id(), now));
                rows.push(ActiveModel::from(&task));
                parts.add(id, &new.parts);
                task
            });
            tasks.push(task.clone());
        }
        // The rows of list tasks have more columns than the others.
        let (in_lists, others) = rows.into_iter().partition(|row: &ActiveModel| row.list_id.is_set());
        self.insert_rows(transaction, in_lists).await?;
        self.insert_rows(transaction, others).await?;
        parts.insert(transaction).await?;
        Ok(tasks)
    }

    /// The new tasks that belong to lists, each with a line in its list.
    async fn placed(
        &self,
        transaction: &Transaction,
        new: &[NewTask],
        ids: &[Uuid],
        known: &HashMap<Uuid, Task>,
        path_of: impl Fn(usize) -> Vec<PathSegment>,
    ) -> Result<HashMap<Uuid, Task>> {
        let mut seen = HashSet::new();
        let placed = new.iter().zip(ids).enumerate().filter_map(|(index, (new, id))| {
            let is_first = !known.contains_key(id) && seen.insert(*id);
            let place = new.place.as_ref().filter(|_| is_first)?;
            Some(NewListTask { new, place, id: *id, path: path_of(index) })
        });
        let placed: Vec<NewListTask<'_>> = placed.collect();
        match placed.is_empty() {
            true => Ok(HashMap::new()),
            false => TaskLists::new(*self).add_lines(transaction, &placed).await,
        }
    }

    /// Inserts rows with the same columns. Errors: WriteConflict when another transaction has inserted one of the
    /// ids in the meantime.
    pub(super) async fn insert_rows(&self, transaction: &Transaction, rows: Vec<ActiveModel>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let count = rows.len() as u64;
        let insert = Entity::insert_many(rows)
            .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
            .exec_without_returning(transaction);
        if insert.await.map_err(insert_error)? < count {
            return Err(Error::WriteConflict);
        }
        Ok(())
    }

    /// The viewer's existing tasks among the ids that the client chose.
    ///
    /// Errors: AlreadyExists when something else has one of the ids.
    pub(super) async fn existing_with_client_ids(
        &self,
        transaction: &Transaction,
        ids: &[Option<Uuid>],
        path_of: impl Fn(usize) -> Vec<PathSegment>,
    ) -> Result<HashMap<Uuid, Task>> {
        let chosen: HashSet<Uuid> = ids.iter().flatten().copied().collect();
        if chosen.is_empty() {
            return Ok(HashMap::new());
        }
        // Tasks that have expired in the trash and tasks of deleted accounts no longer occupy their ids.
        let expired = self.mine().and(Column::DeletedAt.lte(self.now() - TRASH_RETENTION));
        let expired = without_index(expired.or(Column::OwnerId.in_subquery(deleted_users())));
        let delete = Entity::delete_many().filter(Column::Id.is_in(chosen.clone())).filter(expired);
        delete.exec(transaction).await.map_err(map_error)?;
        // Some rows may belong to other users. Of such a row, only the owner is used.
        let rows = TaskRow::find().filter(Column::Id.is_in(chosen.clone()));
        let known: Vec<Task> = TaskRow::all(rows, transaction).await.map_err(map_error)?;
        let known: HashMap<Uuid, Task> = known.into_iter().map(|task| (task.id, task)).collect();

        let others = unique_ids::of_other_kinds(transaction, Kind::Task, &chosen).await?;
        let mut faults = Faults::default();
        for (index, id) in ids.iter().enumerate().filter_map(|(index, id)| Some((index, (*id)?))) {
            let is_mine = known.get(&id).map(|task| task.owner_id == self.viewer.user_id());
            if !is_mine.unwrap_or(!others.contains(&id)) {
                faults.inside(path_of(index), |faults| {
                    faults.push("id", Problem::new(Rule::Taken, "is taken"));
                });
            }
        }
        if faults.count() > 0 { Err(Error::AlreadyExists(faults.into_found())) } else { Ok(known) }
    }
}
