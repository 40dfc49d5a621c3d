//! What changes of all kinds of task parts have in common.

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::{Transaction, map_error};
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
