//! Edits, deletion and restoration of single tasks, and the locks that edits of all kinds use.

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::entity::task::{Column, Entity, TaskRow, changes};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, NewTask, Result, Task, TaskEdit, TaskScope};
use crate::service::Tasks;

impl Tasks<'_> {
    /// Changes a task. An edit without a difference does not change version and updatedAt.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the task does not have the expected version; Invalid
    /// when the labels become too many.
    pub async fn edit(&self, id: Uuid, edit: &TaskEdit, expected_version: Option<i32>) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, expected_version).await?;
            let edited = task.edited(edit, self.now())?;
            self.save(&transaction, &task, edited).await
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

    /// Moves a task to the trash.
    ///
    /// Errors: NotFound, also when the task is in the trash already; Forbidden.
    pub async fn delete(&self, id: Uuid) -> Result<()> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, id, None).await?;
            self.move_to_trash(&transaction, &task).await
        })
    }

    /// Restores a task from the trash. An active task is returned unchanged.
    ///
    /// Errors: NotFound, Forbidden.
    pub async fn restore(&self, id: Uuid) -> Result<Task> {
        in_transaction!(self.database, |transaction| {
            let condition = self.active_by_id().or(self.in_scope(TaskScope::Trashed));
            let Some(task) = self.select_for_update(&transaction, &[id], condition).await?.pop() else {
                return Err(self.access_error(&transaction, id).await?);
            };
            let restored = match task.deleted_at {
                Some(_) => Task { deleted_at: None, ..task.clone() }.with_next_version(self.now()),
                None => task.clone(),
            };
            self.save(&transaction, &task, restored).await
        })
    }

    pub(super) async fn move_to_trash(&self, transaction: &Transaction, task: &Task) -> Result<()> {
        let now = self.now();
        let deleted = Task { deleted_at: Some(now), ..task.clone() }.with_next_version(now);
        self.save(transaction, task, deleted).await.map(drop)
    }

    /// Locks an active task until the transaction ends.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the task does not have the expected version.
    pub(super) async fn lock(
        &self,
        transaction: &Transaction,
        id: Uuid,
        expected_version: Option<i32>,
    ) -> Result<Task> {
        let Some(task) = self.select_for_update(transaction, &[id], self.active_by_id()).await?.pop() else {
            return Err(self.access_error(transaction, id).await?);
        };
        match expected_version {
            Some(expected) if expected != task.version => {
                Err(Error::VersionConflict { current: task.version })
            }
            _ => Ok(task),
        }
    }

    /// Locks rows in the order of their ids, so that two transactions cannot wait for each other.
    pub(super) async fn select_for_update(
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
    pub(super) async fn save(&self, transaction: &Transaction, before: &Task, after: Task) -> Result<Task> {
        if *before != after {
            let update = Entity::update_many().set(changes(before, &after)).filter(self.mine());
            update.filter(Column::Id.eq(after.id)).exec(transaction).await.map_err(map_error)?;
        }
        Ok(after)
    }
}
