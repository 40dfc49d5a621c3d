//! Writes the rows of many tasks of a list, in few statements.

use crate::db::entity::task::{ActiveModel, Column, Entity};
use crate::db::{Transaction, map_error};
use crate::domain::{Result, Task};
use crate::service::task_lists::TaskLists;
use crate::service::task_rows::{insert_error, without_index};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, IntoIden, Query, TableRef, ValueTuple};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait};

/// The number of rows of one statement: a row has about thirty values, and SQLite allows 32,766.
pub(super) const ROWS_PER_WRITE: usize = 500;

/// What a change of a list can change of a task.
const CHANGED_COLUMNS: [Column; 21] = [
    Column::Title,
    Column::TitleKey,
    Column::SearchKey,
    Column::LabelsKey,
    Column::Status,
    Column::CompletedAt,
    Column::UpdatedAt,
    Column::DeletedAt,
    Column::Version,
    Column::Key,
    Column::Text,
    Column::Details,
    Column::Parallel,
    Column::Stories,
    Column::PhaseId,
    Column::PhaseNumber,
    Column::ListPosition,
    Column::BaseVersion,
    Column::DeletedWithList,
    Column::ClaimId,
    Column::ListId,
];

impl TaskLists<'_> {
    /// Inserts tasks with new ids.
    pub(super) async fn insert_tasks(&self, transaction: &Transaction, tasks: &[Task]) -> Result<()> {
        for batch in tasks.chunks(ROWS_PER_WRITE) {
            let insert = Entity::insert_many(batch.iter().map(ActiveModel::from));
            insert.exec_without_returning(transaction).await.map_err(insert_error)?;
        }
        Ok(())
    }

    /// Writes locked tasks of the viewer, with [`CHANGED_COLUMNS`], from a list of values. An INSERT that updates the
    /// rows on conflict would take two positions for each task on PostgreSQL.
    pub(super) async fn save_tasks(&self, transaction: &Transaction, tasks: &[Task]) -> Result<()> {
        for batch in tasks.chunks(ROWS_PER_WRITE) {
            let values = batch.iter().map(|task| {
                let row = ActiveModel::from(task);
                let columns = [Column::Id].into_iter().chain(CHANGED_COLUMNS);
                let value =
                    |column| row.get(column).into_value().expect("a task has a value for each column");
                ValueTuple::Many(columns.map(value).collect())
            });
            let changed = |index: usize| Expr::col(("changed", Alias::new(format!("column{index}"))));
            let mut update = Query::update();
            update
                .table(Entity)
                .from(TableRef::ValuesList(values.collect(), "changed".into_iden()))
                .values(CHANGED_COLUMNS.into_iter().zip((2..).map(changed)))
                .and_where(Column::Id.into_expr().eq(changed(1)))
                .and_where(without_index(self.tasks.mine()));
            transaction.execute(&update).await.map_err(map_error)?;
        }
        Ok(())
    }
}
