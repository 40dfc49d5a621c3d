//! Reads a page of an owner's changes and the counter of the owner in one statement, so from one snapshot.

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use crate::db::entity::change_head;
use crate::db::entity::task::{Column, TaskColumns, TaskRow};

/// The rows of a page.
pub struct ChangedRows<T> {
    /// The counter of the owner; 0 if nothing was ever changed.
    pub head: i64,
    /// The lowest position that a valid cursor may have.
    pub valid_from: i64,
    /// The changed tasks with their positions, in the order of the positions.
    pub tasks: Vec<(i64, T)>,
}

/// Reads up to `limit` tasks that meet `mine`, the condition for the tasks of `owner`, and whose last change comes
/// after `position`.
pub async fn changes<T: From<TaskRow>>(
    on: &impl ConnectionTrait,
    (owner, mine): (Uuid, SimpleExpr),
    position: i64,
    limit: u64,
    selected: TaskColumns,
) -> Result<ChangedRows<T>, DbErr> {
    let columns = selected.set();
    // The limit is inside the join. Outside of it the whole backlog would be sorted for each page.
    let page = TaskRow::find_columns(columns)
        .column(Column::Position)
        .filter(mine)
        .filter(Column::Position.gt(position))
        .order_by_asc(Column::Position)
        .limit(limit)
        .into_query();
    let (head, task) = (Alias::new("head"), Alias::new("task"));
    let select = Query::select()
        .expr(Expr::cust("task.*"))
        .expr_as(Expr::col((head.clone(), change_head::Column::Position)), "head_position")
        .column((head.clone(), change_head::Column::ValidFrom))
        .from_as(change_head::Entity, head.clone())
        .join_subquery(JoinType::LeftJoin, page, task.clone(), Expr::cust("TRUE"))
        .and_where(Expr::col((head, change_head::Column::Owner)).eq(owner))
        .order_by((task, Column::Position), sea_orm::Order::Asc)
        .to_owned();
    let mut changed = ChangedRows { head: 0, valid_from: 0, tasks: Vec::new() };
    for row in on.query_all(&select).await? {
        changed.head = row.try_get("", "head_position")?;
        changed.valid_from = row.try_get("", "valid_from")?;
        if let Some(position) = row.try_get("", "position")? {
            changed.tasks.push((position, TaskRow::from_row(&row, columns)?.into()));
        }
    }
    Ok(changed)
}
