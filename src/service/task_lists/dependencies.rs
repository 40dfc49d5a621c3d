//! Dependencies that clients add between tasks.

use std::collections::{HashMap, HashSet};

use sea_orm::sea_query::{ExprTrait, JoinType, LockType, SimpleExpr};
use sea_orm::{
    ActiveValue, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationDef,
};
use uuid::Uuid;

use crate::db::entity::task::TaskRow;
use crate::db::entity::task_dependency::{ActiveModel, Column, Entity};
use crate::db::entity::{task, user};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Faults, MAX_ADDED_DEPENDENCIES, Problem, Result, Rule, Task, ordering};
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::waiting::WaitingTasks;
use crate::service::task_lists::waiting_load::IDS_PER_READ;
use crate::service::task_rows::insert_error;

/// How far dependencies are followed to find a cycle: the number of steps from task to task.
const MAX_STEPS: usize = 1_000;
/// How far dependencies are followed to find a cycle: the number of lists.
const MAX_LISTS: usize = 100;

impl TaskLists<'_> {
    /// Makes a task wait for another. Returns both. A dependency that exists changes nothing.
    ///
    /// Errors: NotFound, Forbidden for one of the tasks; Invalid when there would be too many dependencies, or a cycle.
    pub async fn add_dependency(&self, task: Uuid, blocked_by: Uuid) -> Result<(Task, Task)> {
        in_transaction!(self.tasks.database, |transaction| {
            self.lock_dependencies(&transaction).await?;
            let (task, other) = self.lock_both(&transaction, task, blocked_by).await?;
            if task.id == other.id {
                return Err(refused(Rule::Cycle, "is the task itself, which cannot wait for itself"));
            }
            let existing = Entity::find().filter(is_between(&task, &other)).one(&transaction).await;
            if existing.map_err(map_error)?.is_some() || self.is_stated(&transaction, &task, &other).await? {
                return Ok((task, other));
            }
            let added = Entity::find().filter(Column::TaskId.eq(task.id));
            let count = added.clone().count(&transaction).await.map_err(map_error)?;
            if count >= MAX_ADDED_DEPENDENCIES as u64 {
                let message = format!(
                    "would be more than the {MAX_ADDED_DEPENDENCIES} dependencies that a task can have"
                );
                return Err(refused(Rule::TooMany, message));
            }
            if self.depends_on(&transaction, &other, &task).await? {
                return Err(refused(Rule::Cycle, "already waits for the task, directly or through others"));
            }
            let last = added.order_by_desc(Column::Position).one(&transaction).await.map_err(map_error)?;
            let row = ActiveModel {
                task_id: ActiveValue::Set(task.id),
                blocked_by_id: ActiveValue::Set(other.id),
                position: ActiveValue::Set(ordering::after(last.map(|last| last.position))),
            };
            Entity::insert(row).exec_without_returning(&transaction).await.map_err(insert_error)?;
            let changed = task.clone().with_next_version(self.tasks.now());
            Ok((self.tasks.save(&transaction, &task, changed).await?, other))
        })
    }

    /// Removes a dependency that a client added. Returns both tasks. A dependency that does not exist changes nothing.
    ///
    /// Errors: NotFound, Forbidden for one of the tasks; Invalid when the document states the dependency.
    pub async fn remove_dependency(&self, task: Uuid, blocked_by: Uuid) -> Result<(Task, Task)> {
        in_transaction!(self.tasks.database, |transaction| {
            self.lock_dependencies(&transaction).await?;
            let task = self.tasks.lock(&transaction, task, None).await?;
            let other = self.other(&transaction, blocked_by).await?;
            let removed = Entity::delete_many().filter(is_between(&task, &other)).exec(&transaction).await;
            let is_removed = removed.map_err(map_error)?.rows_affected > 0;
            if self.is_stated(&transaction, &task, &other).await? {
                let message =
                    "is stated by the document of the list; change the document or the text of the task";
                return Err(refused(Rule::Conflicting, message));
            }
            if !is_removed {
                return Ok((task, other));
            }
            let changed = task.clone().with_next_version(self.tasks.now());
            Ok((self.tasks.save(&transaction, &task, changed).await?, other))
        })
    }

    /// Changes of the viewer's dependencies run one after the other, so that two of them cannot complete a cycle
    /// together. The lock does not hold up new tasks, whose rows refer to that of the viewer.
    async fn lock_dependencies(&self, transaction: &Transaction) -> Result<()> {
        let owner = user::Entity::find()
            .filter(user::Column::Id.eq(self.owner()))
            .select_only()
            .column(user::Column::Id);
        let owner = owner.lock(LockType::NoKeyUpdate).into_tuple::<Uuid>();
        owner.one(transaction).await.map_err(map_error).map(drop)
    }

    /// Locks both tasks, in the order of their ids. Errors: NotFound, Forbidden for one of them.
    async fn lock_both(&self, transaction: &Transaction, task: Uuid, other: Uuid) -> Result<(Task, Task)> {
        let condition = self.tasks.active_by_id();
        let locked = self.tasks.select_for_update(transaction, &[task, other], condition).await?;
        let find = |id: Uuid| locked.iter().find(|task| task.id == id).cloned();
        match (find(task), find(other)) {
            (Some(task), Some(other)) => Ok((task, other)),
            (None, _) => Err(self.tasks.access_error(transaction, task).await?),
            (_, None) => Err(self.tasks.access_error(transaction, other).await?),
        }
    }

    /// The viewer's task with this id, also one in the trash. Errors: NotFound, Forbidden.
    async fn other(&self, transaction: &Transaction, id: Uuid) -> Result<Task> {
        let task = TaskRow::find().filter(self.tasks.mine()).filter(task::Column::Id.eq(id));
        let task: Vec<Task> = TaskRow::all(task, transaction).await.map_err(map_error)?;
        match task.into_iter().next() {
            Some(task) => Ok(task),
            None => Err(self.tasks.access_error(transaction, id).await?),
        }
    }

    /// Whether the document of its list states that a task depends directly on another one.
    async fn is_stated(&self, transaction: &Transaction, task: &Task, other: &Task) -> Result<bool> {
        let Some(entry) = &task.entry else { return Ok(false) };
        let stated = self.stated_in(transaction, entry.list_id).await?;
        Ok(stated.blocked_by(task.id).contains(&other.id))
    }

    /// Whether a task depends on another one, directly or through others. Tasks in the trash count, because they can be
    /// restored. Only what is reached is read, so that long lists that wait for each other in places can be followed.
    ///
    /// Errors: Invalid when it is not known after [`MAX_STEPS`] or [`MAX_LISTS`].
    async fn depends_on(&self, transaction: &Transaction, task: &Task, other: &Task) -> Result<bool> {
        let list = task.entry.as_ref().map(|entry| entry.list_id);
        let (mut reached, mut next) = (HashSet::from([task.id]), vec![(task.id, list)]);
        let mut lists: HashMap<Uuid, WaitingTasks> = HashMap::new();
        for _ in 0..MAX_STEPS {
            let mut found = self.added_to(transaction, &next).await?;
            for (task, list) in next {
                let Some(list) = list else { continue };
                if !lists.contains_key(&list) {
                    if lists.len() == MAX_LISTS {
                        return Err(too_far());
                    }
                    lists.insert(list, self.stated_in(transaction, list).await?);
                }
                found.extend(lists[&list].blocked_by(task).into_iter().map(|on| (on, Some(list))));
            }
            found.retain(|(id, _)| reached.insert(*id));
            if reached.contains(&other.id) {
                return Ok(true);
            }
            if found.is_empty() {
                return Ok(false);
            }
            next = found;
        }
        Err(too_far())
    }

    /// The tasks on which clients let these tasks depend, each with its list.
    async fn added_to(
        &self,
        transaction: &Transaction,
        tasks: &[(Uuid, Option<Uuid>)],
    ) -> Result<Vec<(Uuid, Option<Uuid>)>> {
        let mut found = Vec::new();
        for tasks in tasks.chunks(IDS_PER_READ) {
            let rows = Entity::find()
                .select_only()
                .column(Column::BlockedById)
                .column(task::Column::ListId)
                .join(JoinType::InnerJoin, blocking_task())
                .filter(self.tasks.mine())
                .filter(Column::TaskId.is_in(tasks.iter().map(|(id, _)| *id)));
            let rows: Vec<(Uuid, Option<Uuid>)> =
                rows.into_tuple().all(transaction).await.map_err(map_error)?;
            found.extend(rows);
        }
        Ok(found)
    }
}

/// The condition for the dependency of a task on another one.
fn is_between(task: &Task, other: &Task) -> SimpleExpr {
    Column::TaskId.eq(task.id).and(Column::BlockedById.eq(other.id))
}

fn blocking_task() -> RelationDef {
    Entity::belongs_to(task::Entity).from(Column::BlockedById).to(task::Column::Id).into()
}

fn too_far() -> Error {
    refused(Rule::TooMany, "leads over dependencies to more tasks than the server can check for a cycle")
}

fn refused(rule: Rule, message: impl Into<String>) -> Error {
    let mut faults = Faults::default();
    faults.push("blockedById", Problem::new(rule, message));
    Error::Invalid(faults.into_found())
}
