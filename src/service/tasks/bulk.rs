//! Operations on several tasks, which change all of them or none.

use std::collections::HashMap;

use uuid::Uuid;

use crate::db::{Transaction, in_transaction};
use crate::domain::{BulkIds, Result, Task, TaskEdit};
use crate::service::Tasks;

impl Tasks<'_> {
    /// Applies the same edit to all tasks or none, and returns the tasks in the order of `ids`.
    ///
    /// Errors: Bulk with the index of each task that is not accessible; Invalid when the labels become too
    /// many.
    pub async fn edit_all(&self, ids: &BulkIds, edit: &TaskEdit) -> Result<Vec<Task>> {
        in_transaction!(self.database, |transaction| {
            let tasks = self.lock_all(&transaction, ids).await?;
            let edited: Vec<Result<Task>> = tasks.iter().map(|task| task.edited(edit, self.now())).collect();
            let edited = ids.all_or_none(edited)?;
            for (task, after) in tasks.iter().zip(&edited) {
                self.save(&transaction, task, after.clone()).await?;
            }
            Ok(edited)
        })
    }

    /// Moves all tasks to the trash or none.
    ///
    /// Errors: Bulk with the index of each task that is not accessible.
    pub async fn delete_all(&self, ids: &BulkIds) -> Result<()> {
        in_transaction!(self.database, |transaction| {
            for task in self.lock_all(&transaction, ids).await? {
                self.move_to_trash(&transaction, &task).await?;
            }
            Ok(())
        })
    }

    /// Locks active tasks and returns them in the order of `ids`.
    ///
    /// Errors: Bulk with the index of each task that is not accessible.
    async fn lock_all(&self, transaction: &Transaction, ids: &BulkIds) -> Result<Vec<Task>> {
        let wanted: Vec<Uuid> = ids.ids().collect();
        let locked = self.select_for_update(transaction, &wanted, self.active_by_id()).await?;
        let mut locked: HashMap<Uuid, Task> = locked.into_iter().map(|task| (task.id, task)).collect();
        if locked.len() < wanted.len() {
            let missing: Vec<Uuid> = wanted.iter().copied().filter(|id| !locked.contains_key(id)).collect();
            let reasons = self.access_errors(transaction, &missing).await?;
            if let Some(error) = ids.error_for(|id| reasons.get(&id).cloned()) {
                return Err(error);
            }
        }
        Ok(wanted.iter().filter_map(|id| locked.remove(id)).collect())
    }
}
