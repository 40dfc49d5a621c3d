//! Changes of single files of a task. Each change locks the task and raises its version.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::change::check_capacity;
use crate::db::entity::file_change;
use crate::db::{in_transaction, map_error};
use crate::domain::{Error, FileChange, MAX_FILES, NewFileChange, Result, Task, new_id, ordering};
use crate::service::Tasks;

const NO_FILE: Error = Error::NotFound("There is no such file.");

impl Tasks<'_> {
    /// Adds a file at the end.
    ///
    /// Errors: NotFound or Forbidden for the task; Invalid when there would be too many files.
    pub async fn add_file(&self, task_id: Uuid, new: &NewFileChange) -> Result<(FileChange, Task)> {
        use file_change::{ActiveModel, Column, Entity};
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, task_id, None).await?;
            let others = Entity::find().filter(Column::TaskId.eq(task_id));
            let count = others.clone().count(&transaction).await.map_err(map_error)?;
            check_capacity(count as usize + 1, MAX_FILES, "files")?;
            let last = others.order_by_desc(Column::Position).one(&transaction).await.map_err(map_error)?;
            let file = FileChange {
                id: new_id(),
                task_id,
                path: new.path.clone().into_string(),
                kind: new.kind,
                position: ordering::after(last.map(|last| last.position)),
                origin: None,
            };
            let insert = Entity::insert(ActiveModel::from(file.clone()));
            insert.exec_without_returning(&transaction).await.map_err(map_error)?;
            Ok((file, self.save_next_version(&transaction, task).await?))
        })
    }

    /// Removes a file.
    ///
    /// Errors: NotFound when there is none in an active task of the viewer; Forbidden when its task belongs
    /// to another user.
    pub async fn remove_file(&self, id: Uuid) -> Result<Task> {
        self.remove_part(file_change::Column::Id, file_change::Column::TaskId, id, NO_FILE).await
    }
}
