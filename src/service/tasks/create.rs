//! Creation of tasks.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::entity::task::{ActiveModel, Column, Entity, TaskRow};
use crate::db::entity::{api_key, checklist_item, file_change, risk, session, user};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Faults, NewTask, PathSegment, Problem, Result, Rule, Task, new_id};
use crate::service::Tasks;
use crate::service::task_rows::{insert_error, without_index};
use crate::service::tasks::parts::Parts;
use crate::service::tasks::{TRASH_RETENTION, deleted_users};

impl Tasks<'_> {
    /// Creates a task. When the client chose an id that one of the viewer's tasks already has, returns that
    /// task unchanged.
    ///
    /// Errors: AlreadyExists when something else has the id.
    pub async fn create(&self, new: NewTask) -> Result<Task> {
        if new.id.is_none() && new.parts.is_empty() {
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
        let mut known = self.existing_with_client_ids(transaction, new, path_of).await?;
        let (mut tasks, mut rows, mut parts) = (Vec::new(), Vec::new(), Parts::default());
        let now = self.now();
        for new in new {
            let id = new.id.unwrap_or_else(new_id);
            let task = known.entry(id).or_insert_with(|| {
                let task = new.task(id, self.viewer.user_id(), now);
                rows.push(ActiveModel::from(&task));
                parts.add(id, &new.parts);
                task
            });
            tasks.push(task.clone());
        }
        if !rows.is_empty() {
            let count = rows.len() as u64;
            let insert = Entity::insert_many(rows)
                .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
                .exec_without_returning(transaction);
            if insert.await.map_err(insert_error)? < count {
                // Another transaction has inserted one of the ids in the meantime.
                return Err(Error::WriteConflict);
            }
            parts.insert(transaction).await?;
        }
        Ok(tasks)
    }

    /// The viewer's existing tasks among the ids that the client chose.
    ///
    /// Errors: AlreadyExists when something else has one of the ids.
    async fn existing_with_client_ids(
        &self,
        transaction: &Transaction,
        new: &[NewTask],
        path_of: impl Fn(usize) -> Vec<PathSegment>,
    ) -> Result<HashMap<Uuid, Task>> {
        let chosen: HashSet<Uuid> = new.iter().filter_map(|new| new.id).collect();
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

        let others = self.ids_of_other_entities(transaction, &chosen).await?;
        let mut faults = Faults::default();
        for (index, id) in new.iter().enumerate().filter_map(|(index, new)| Some((index, new.id?))) {
            let is_mine = known.get(&id).map(|task| task.owner_id == self.viewer.user_id());
            if !is_mine.unwrap_or(!others.contains(&id)) {
                faults.inside(path_of(index), |faults| {
                    faults.push("id", Problem::new(Rule::Taken, "is taken"));
                });
            }
        }
        if faults.count() > 0 { Err(Error::AlreadyExists(faults.into_found())) } else { Ok(known) }
    }

    /// Those of the ids that belong to something other than a task, because ids are unique over all tables.
    async fn ids_of_other_entities(
        &self,
        transaction: &Transaction,
        ids: &HashSet<Uuid>,
    ) -> Result<HashSet<Uuid>> {
        let mut taken = HashSet::new();
        taken.extend(existing_ids(transaction, user::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, session::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, api_key::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, checklist_item::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, risk::Column::Id, ids).await?);
        taken.extend(existing_ids(transaction, file_change::Column::Id, ids).await?);
        Ok(taken)
    }
}

async fn existing_ids<C>(transaction: &Transaction, id: C, among: &HashSet<Uuid>) -> Result<Vec<Uuid>>
where
    C: ColumnTrait,
    C::EntityName: EntityTrait,
{
    let select = <C::EntityName as EntityTrait>::find().select_only().column(id);
    let select = select.filter(id.is_in(among.iter().copied()));
    select.into_tuple().all(transaction).await.map_err(map_error)
}
