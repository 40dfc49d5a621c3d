//! Operations that are the same for all kinds of task parts.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Faults, Problem, Result, Rule, Task};
use crate::service::Tasks;

impl Tasks<'_> {
    /// Locks the task that a part belongs to. The part may be deleted before the lock is acquired, so the
    /// caller reads it afterwards.
    pub(super) async fn lock_task_of<C>(
        &self,
        transaction: &Transaction,
        is_part: SimpleExpr,
        task_id: C,
        no_such: Error,
    ) -> Result<Task>
    where
        C: ColumnTrait,
        C::EntityName: EntityTrait,
    {
        let select = <C::EntityName as EntityTrait>::find().select_only().column(task_id).filter(is_part);
        let task_id: Option<Uuid> = select.into_tuple().one(transaction).await.map_err(map_error)?;
        match self.lock(transaction, task_id.ok_or_else(|| no_such.clone())?, None).await {
            Err(Error::NotFound(_)) => Err(no_such),
            locked => locked,
        }
    }

    /// Removes the part with an id, and raises the version of its task. Errors: `no_such` when there is no such
    /// part in an active task of the viewer; Forbidden when its task belongs to another user.
    pub(super) async fn remove_part<C>(
        &self,
        id_column: C,
        task_id_column: C,
        id: Uuid,
        no_such: Error,
    ) -> Result<Task>
    where
        C: ColumnTrait,
        C::EntityName: EntityTrait,
    {
        in_transaction!(self.database, |transaction| {
            let is_part = id_column.eq(id);
            let task =
                self.lock_task_of(&transaction, is_part.clone(), task_id_column, no_such.clone()).await?;
            let delete = <C::EntityName as EntityTrait>::delete_many().filter(is_part);
            if delete.exec(&transaction).await.map_err(map_error)?.rows_affected == 0 {
                return Err(no_such.clone());
            }
            self.save_next_version(&transaction, task).await
        })
    }

    /// Raises the version of a task after a change of its parts.
    pub(super) async fn save_next_version(&self, transaction: &Transaction, task: Task) -> Result<Task> {
        let with_next_version = task.clone().with_next_version(self.now());
        self.save(transaction, &task, with_next_version).await
    }
}

/// Fails with Invalid when `count` exceeds `max`.
pub(super) fn check_capacity(count: usize, max: usize, what: &str) -> Result<()> {
    let mut faults = Faults::default();
    if count > max {
        faults.push(
            "input",
            Problem::new(Rule::TooMany, format!("exceeds the limit: a task can have at most {max} {what}")),
        );
    }
    faults.into_result()
}
