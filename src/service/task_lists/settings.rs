//! The settings of task lists.

use uuid::Uuid;

use crate::db::in_transaction;
use crate::domain::{Error, Result, TaskList, TaskOrdering, TaskScope};
use crate::service::task_lists::TaskLists;

impl TaskLists<'_> {
    /// Changes the settings of a list; None leaves a setting unchanged. Without a difference nothing changes.
    ///
    /// Errors: NotFound, Forbidden; VersionConflict when the list does not have the expected version.
    pub async fn update(
        &self,
        id: Uuid,
        ordering: Option<TaskOrdering>,
        expected_version: Option<i32>,
    ) -> Result<TaskList> {
        in_transaction!(self.tasks.database, |transaction| {
            let list = self.lock(&transaction, id, self.in_scope(TaskScope::Active)).await?;
            if expected_version.is_some_and(|expected| expected != list.version) {
                return Err(Error::VersionConflict { object: "task list", current: list.version });
            }
            let ordering = ordering.unwrap_or(list.ordering);
            if ordering == list.ordering {
                return Ok(list);
            }
            let updated = TaskList { ordering, ..list }.with_next_version(self.tasks.now());
            self.save(&transaction, &updated).await?;
            Ok(updated)
        })
    }
}
