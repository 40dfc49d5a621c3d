//! Pages of task lists, with the same meaning on both databases.

use chrono::DateTime;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::db::entity::task_list::{Column, Entity};
use crate::domain::{KeyValue, PageRequest, TaskScope};

/// Restricts a selection to one page and one additional list, in the scan direction: the newest first, or those with
/// the latest deletion first.
pub fn page(mut select: Select<Entity>, scope: TaskScope, request: &PageRequest) -> Select<Entity> {
    let column = match scope {
        TaskScope::Active => Column::CreatedAt,
        TaskScope::Trashed => Column::DeletedAt,
    };
    if let Some(from) = &request.from
        && let [KeyValue::Number(ms)] = from.keys[..]
        && let Some(at) = DateTime::from_timestamp_millis(ms)
    {
        let (bound, further, tied) = match request.backward {
            true => (column.gte(at), column.gt(at), Column::Id.gt(from.id)),
            false => (column.lte(at), column.lt(at), Column::Id.lt(from.id)),
        };
        select = select.filter(bound.and(further.or(tied)));
    }
    let order = if request.backward { Order::Asc } else { Order::Desc };
    select.order_by(column, order.clone()).order_by(Column::Id, order).limit(request.size as u64 + 1)
}
