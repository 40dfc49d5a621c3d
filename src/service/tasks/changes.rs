//! What has changed in the viewer's tasks.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::db::entity::change_head;
use crate::db::entity::task::TaskColumns;
use crate::db::map_error;
use crate::db::task_query;
use crate::domain::{ChangeCursor, Changes, ChangesFrom, ChangesRequest, Error, Result, Task};
use crate::service::Tasks;

impl Tasks<'_> {
    /// Reads a page of the tasks that have changed, those in the trash included, each in its current state. It
    /// reads only the columns in `selected`. The other fields have their default values.
    ///
    /// The changes of one owner become visible in the order of their positions, since each keeps the owner's
    /// counter locked until its transaction ends. So the cursor at the end of the page is the position of its
    /// last task, or the counter that the same statement read when there are no more.
    ///
    /// Errors: CursorExpired.
    pub async fn changes(&self, request: &ChangesRequest, selected: TaskColumns) -> Result<Changes> {
        let owner = self.viewer.user_id();
        let (after, limit) = match request.from {
            ChangesFrom::Start => (-1, request.size as u64 + 1),
            ChangesFrom::Cursor(cursor) => (cursor.position, request.size as u64 + 1),
            ChangesFrom::Now => (-1, 0),
        };
        let read = self.database.read();
        let changed = task_query::changes::<Task>(&read, (owner, self.mine()), after, limit, selected);
        let task_query::ChangedRows { head, valid_from, mut tasks } = changed.await.map_err(map_error)?;
        let base = match request.from {
            ChangesFrom::Cursor(cursor) if !cursor.is_valid(head, valid_from) => {
                return Err(Error::CursorExpired);
            }
            ChangesFrom::Cursor(cursor) => cursor.base,
            ChangesFrom::Start | ChangesFrom::Now => head,
        };
        let has_more = tasks.len() > request.size;
        tasks.truncate(request.size);
        let last = tasks.last().map(|(position, _)| *position);
        let position = last.filter(|_| has_more).unwrap_or(head);
        let tasks = tasks.into_iter().map(|(_, task)| task).collect();
        Ok(Changes { tasks, cursor: ChangeCursor { owner, position, base }, has_more })
    }

    /// The cursor after the last change that a statement from now on sees.
    pub async fn change_cursor(&self) -> Result<ChangeCursor> {
        let owner = self.viewer.user_id();
        let head = change_head::Entity::find().filter(change_head::Column::Owner.eq(owner)).select_only();
        let head = head.column(change_head::Column::Position).into_tuple::<i64>();
        let position = head.one(&self.database.read()).await.map_err(map_error)?.unwrap_or(0);
        Ok(ChangeCursor { owner, position, base: position })
    }
}
