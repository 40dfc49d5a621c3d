//! Edits, deletion and restoration of single tasks, and the locks that edits of all kinds use.

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany};
use uuid::Uuid;

use crate::db::entity::task::{Column, Entity, TaskRow, changes};
use crate::db::{Transaction, in_transaction, is_lost, map_error};
use crate::domain::{Error, NewTask, Result, Task, TaskEdit, TaskScope};
use crate::service::Tasks;
use crate::service::task_lists::TaskLists;

/// How often a change of one task is tried without a lock while others change the same task.
const UNLOCKED_ATTEMPTS: usize = 3;

impl Tasks<'_> {
    /// Changes a task. An edit without a difference does not change version and updatedAt.
    ///
    /// The task is read together with those of other requests, and one statement writes it if it still has the
    /// same version. Everything else is decided with a lock: an edit that came too late several times, that makes
    /// no difference, or that must be refused.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the task does not have the expected version; Invalid
    /// when the labels become too many; Unavailable when the connection was lost and it is unknown whether the
    /// task was changed.
    pub async fn edit(&self, id: Uuid, edit: &TaskEdit, expected_version: Option<i32>) -> Result<Task> {
        for _ in 0..UNLOCKED_ATTEMPTS {
            let task = self.coalesced.tasks.submit((self.viewer.user_id(), id)).await?;
            let task = task.filter(|task| check_version(task, expected_version).is_ok());
            let edited = task.as_ref().and_then(|task| task.edited(edit, self.now()).ok());
            match task.zip(edited) {
                Some((task, edited)) if task != edited => {
                    if let Some(saved) = self.save_unlocked(&task, edited).await? {
                        return Ok(saved);
                    }
                }
                _ => break,
            }
        }
        self.edit_locked(id, edit, expected_version).await
    }

    /// Saves a task with one statement if it still has the version of `before`. Returns None if it has not.
    ///
    /// Errors: Unavailable when the connection was lost and it is unknown whether the task was changed.
    async fn save_unlocked(&self, before: &Task, after: Task) -> Result<Option<Task>> {
        match self.save_if_unchanged(before, &after).await {
            Ok(is_saved) => Ok(is_saved.then_some(after)),
            Err(error) if is_lost(&error) => {
                self.save_after_loss(before, after, map_error(error)).await.map(Some)
            }
            Err(error) => Err(map_error(error)),
        }
    }

    async fn edit_locked(&self, id: Uuid, edit: &TaskEdit, expected_version: Option<i32>) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, expected_version).await?;
            let edited = task.edited(edit, self.now())?;
            self.save(&transaction, &task, edited).await
        })
    }

    /// Saves a task after the connection of the statement that should have saved it was lost. If the task is not
    /// as it was, either that statement or another client has changed it, and `error` is returned.
    async fn save_after_loss(&self, before: &Task, after: Task, error: Error) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            match self.select_for_update(&transaction, &[before.id], self.mine()).await?.pop() {
                Some(task) if task == *before => self.save(&transaction, before, after.clone()).await,
                _ => Err(error.clone()),
            }
        })
    }

    /// Replaces the whole content of a task. Kinds of task parts that do not differ keep their rows and ids.
    ///
    /// Errors: those of [`Tasks::edit`].
    pub async fn replace(&self, id: Uuid, new: &NewTask, expected_version: Option<i32>) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, expected_version).await?;
            let mut edited = task.edited(&new.edit(), self.now())?;
            let replaced =
                self.parts_of(&transaction, id).await?.replace(&transaction, id, &new.parts).await?;
            if replaced && edited == task {
                edited = edited.with_next_version(self.now());
            }
            self.save(&transaction, &task, edited).await
        })
    }

    /// Moves a task to the trash, as [`Tasks::edit`] changes one.
    ///
    /// Errors: NotFound, also when the task is in the trash already; Forbidden; Unavailable as [`Tasks::edit`].
    pub async fn delete(&self, id: Uuid) -> Result<()> {
        for _ in 0..UNLOCKED_ATTEMPTS {
            let Some(task) = self.coalesced.tasks.submit((self.viewer.user_id(), id)).await? else { break };
            if self.save_unlocked(&task, self.deleted(&task)).await?.is_some() {
                return Ok(());
            }
        }
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, None).await?;
            self.move_to_trash(&transaction, &task).await
        })
    }

    /// Restores a task from the trash, as [`Tasks::edit`] changes one. An active task is returned unchanged.
    ///
    /// Errors: NotFound, Forbidden; Unavailable as [`Tasks::edit`].
    pub async fn restore(&self, id: Uuid) -> Result<Task> {
        let condition = || self.active_by_id().or(self.in_scope(TaskScope::Trashed));
        for _ in 0..UNLOCKED_ATTEMPTS {
            let known = TaskRow::find().filter(condition()).filter(Column::Id.eq(id));
            let known = TaskRow::all::<Task>(known, &self.database.read()).await.map_err(map_error)?;
            let Some(task) = known.into_iter().next() else { break };
            if let Some(entry) = &task.entry {
                return self.restore_in_list(id, entry.list_id).await;
            }
            if task.deleted_at.is_none() {
                break;
            }
            if let Some(restored) = self.save_unlocked(&task, self.restored(&task)).await? {
                return Ok(restored);
            }
        }
        in_transaction!(self.database, |transaction| {
            let Some(task) = self.select_for_update(&transaction, &[id], condition()).await?.pop() else {
                return Err(self.access_error(&transaction, id).await?);
            };
            self.save(&transaction, &task, self.restored(&task)).await
        })
    }

    /// Restores a task of a list from the trash.
    ///
    /// Errors: NotFound, also when the list is in the trash; Invalid when the list has too many tasks.
    async fn restore_in_list(&self, id: Uuid, list: Uuid) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let lists = TaskLists::new(*self);
            lists.lock_for_task(&transaction, list).await?;
            let condition = self.active_by_id().or(self.in_scope(TaskScope::Trashed));
            let Some(task) = self.select_for_update(&transaction, &[id], condition).await?.pop() else {
                return Err(self.access_error(&transaction, id).await?);
            };
            if task.deleted_at.is_some() {
                lists.check_restored(&transaction, list).await?;
            }
            self.save(&transaction, &task, self.restored(&task)).await
        })
    }

    fn deleted(&self, task: &Task) -> Task {
        let now = self.now();
        Task { deleted_at: Some(now), ..task.clone() }.with_next_version(now)
    }

    /// The task outside the trash; an active task is returned unchanged.
    fn restored(&self, task: &Task) -> Task {
        match task.deleted_at {
            Some(_) => Task { deleted_at: None, ..task.clone() }.with_next_version(self.now()),
            None => task.clone(),
        }
    }

    pub(super) async fn move_to_trash(&self, transaction: &Transaction, task: &Task) -> Result<()> {
        self.save(transaction, task, self.deleted(task)).await.map(drop)
    }

    /// Locks an active task until the transaction ends.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the task does not have the expected version.
    pub(in crate::service) async fn lock(
        &self,
        transaction: &Transaction,
        id: Uuid,
        expected_version: Option<i32>,
    ) -> Result<Task> {
        let Some(task) = self.select_for_update(transaction, &[id], self.active_by_id()).await?.pop() else {
            return Err(self.access_error(transaction, id).await?);
        };
        check_version(&task, expected_version)?;
        Ok(task)
    }

    /// Locks rows in the order of their ids, so that two transactions cannot wait for each other.
    pub(in crate::service) async fn select_for_update(
        &self,
        transaction: &Transaction,
        ids: &[Uuid],
        condition: SimpleExpr,
    ) -> Result<Vec<Task>> {
        let rows = TaskRow::find().filter(condition).filter(Column::Id.is_in(ids.iter().copied()));
        let rows = rows.order_by_asc(Column::Id).lock_exclusive();
        TaskRow::all(rows, transaction).await.map_err(map_error)
    }

    /// Writes the columns that differ.
    pub(in crate::service) async fn save(
        &self,
        transaction: &Transaction,
        before: &Task,
        after: Task,
    ) -> Result<Task> {
        if *before != after {
            self.update(before, &after).exec(transaction).await.map_err(map_error)?;
        }
        Ok(after)
    }

    /// Writes the columns that differ if the task still has the version of `before`. Returns whether it had.
    async fn save_if_unchanged(&self, before: &Task, after: &Task) -> Result<bool, DbErr> {
        let update = self.update(before, after).filter(Column::Version.eq(before.version));
        let done = update.exec(&self.database.verifiable_write()).await;
        self.database.notify();
        let done = done?;
        Ok(done.rows_affected == 1)
    }

    fn update(&self, before: &Task, after: &Task) -> UpdateMany<Entity> {
        Entity::update_many().set(changes(before, after)).filter(self.mine()).filter(Column::Id.eq(after.id))
    }
}

/// Errors: VersionConflict when the task does not have the expected version.
fn check_version(task: &Task, expected: Option<i32>) -> Result<()> {
    match expected {
        Some(expected) if expected != task.version => {
            Err(Error::VersionConflict { object: "task", current: task.version })
        }
        _ => Ok(()),
    }
}
