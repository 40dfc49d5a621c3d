//! Deletion and restoration of task lists, with their tasks.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany};
use uuid::Uuid;

use crate::db::entity::task::{self, Column};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Instant, Result, TaskList, TaskScope};
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::import::check_count;
use crate::service::task_rows::is_active;
use crate::service::tasks;

impl TaskLists<'_> {
    /// Moves a list to the trash, and all of its tasks that are not there.
    ///
    /// Errors: NotFound, also when the list is in the trash already; Forbidden.
    pub async fn delete(&self, id: Uuid) -> Result<()> {
        in_transaction!(self.tasks.database, |transaction| {
            let list = self.lock(&transaction, id, self.in_scope(TaskScope::Active)).await?;
            let now = self.tasks.now();
            let deleted = TaskList { deleted_at: Some(now), ..list.with_next_version(now) };
            self.save(&transaction, &deleted).await?;
            self.lock_tasks(&transaction, id).await?;
            let update = self
                .next_versions(id, now)
                .col_expr(Column::DeletedAt, Expr::value(now))
                .col_expr(Column::DeletedWithList, Expr::value(true))
                .col_expr(Column::ClaimId, Expr::value(Option::<Uuid>::None))
                .filter(Column::DeletedAt.is_null());
            update.exec(&transaction).await.map_err(map_error).map(drop)
        })
    }

    /// Restores a list from the trash, and the tasks that were moved to the trash with it. A list that is not in the
    /// trash is returned unchanged.
    ///
    /// Errors: NotFound, Forbidden.
    pub async fn restore(&self, id: Uuid) -> Result<TaskList> {
        in_transaction!(self.tasks.database, |transaction| {
            let scope = self.in_scope(TaskScope::Active).or(self.in_scope(TaskScope::Trashed));
            let list = self.lock(&transaction, id, scope).await?;
            if list.deleted_at.is_none() {
                return Ok(list);
            }
            let now = self.tasks.now();
            let restored = TaskList { deleted_at: None, ..list.with_next_version(now) };
            self.save(&transaction, &restored).await?;
            self.lock_tasks(&transaction, id).await?;
            let update = self
                .next_versions(id, now)
                .col_expr(Column::DeletedAt, Expr::value(Option::<Instant>::None))
                .col_expr(Column::DeletedWithList, Expr::value(Option::<bool>::None))
                .filter(Column::DeletedWithList.eq(true));
            update.exec(&transaction).await.map_err(map_error)?;
            Ok(restored)
        })
    }

    /// Locks a list so that one of its tasks can be restored. Errors: NotFound when the list is in the trash.
    pub(in crate::service) async fn lock_for_task(&self, transaction: &Transaction, id: Uuid) -> Result<()> {
        match self.lock(transaction, id, self.in_scope(TaskScope::Active)).await {
            Err(Error::NotFound(_)) => Err(tasks::NOT_FOUND),
            locked => locked.map(drop),
        }
    }

    /// Errors: Invalid when a locked list has too many tasks to restore another one.
    pub(in crate::service) async fn check_restored(&self, transaction: &Transaction, id: Uuid) -> Result<()> {
        let active = task::Entity::find().filter(self.tasks.mine()).filter(Column::ListId.eq(id));
        let active = active.filter(is_active()).count(transaction).await.map_err(map_error)?;
        check_count(active as usize + 1, &["id".into()], "tasks")
    }

    /// Locks all tasks of a locked list in the order of their ids, as all transactions do that change several tasks.
    async fn lock_tasks(&self, transaction: &Transaction, list: Uuid) -> Result<()> {
        let ids = task::Entity::find().select_only().column(Column::Id).filter(self.tasks.mine());
        let ids = ids.filter(Column::ListId.eq(list)).order_by_asc(Column::Id).lock_exclusive();
        ids.into_tuple::<Uuid>().all(transaction).await.map_err(map_error).map(drop)
    }

    /// Raises the versions of tasks of a list. A task that had not changed since the last merge counts as unchanged
    /// after it.
    fn next_versions(&self, list: Uuid, now: Instant) -> UpdateMany<task::Entity> {
        let next = || column(Column::Version).add(1);
        let is_unchanged = column(Column::BaseVersion).eq(column(Column::Version));
        let base = CaseStatement::new().case(is_unchanged, next()).finally(column(Column::BaseVersion));
        let is_later = Column::UpdatedAt.gt(now);
        let updated =
            CaseStatement::new().case(is_later, column(Column::UpdatedAt)).finally(Expr::value(now));
        task::Entity::update_many()
            .col_expr(Column::BaseVersion, base.into())
            .col_expr(Column::Version, next())
            .col_expr(Column::UpdatedAt, updated.into())
            .filter(self.tasks.mine())
            .filter(Column::ListId.eq(list))
    }
}

fn column(column: Column) -> SimpleExpr {
    column.into_expr()
}
