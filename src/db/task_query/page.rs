//! Translates orders and pages of tasks to SQL.

use chrono::DateTime;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, NullOrdering, SimpleExpr, Value};
use sea_orm::{ColumnTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::db::entity::task::{Column, Entity};
use crate::domain::{
    CursorKey, KeyValue, OrderField, OrderKey, PageRequest, StoredEnum, TaskPriority, TaskStatus,
};

/// Restricts a list to one page and one additional task, in the scan direction.
pub fn page(mut select: Select<Entity>, order: &[OrderKey], request: &PageRequest) -> Select<Entity> {
    let keys: Vec<OrderExpression> =
        order.iter().map(|key| OrderExpression::new(key, request.backward)).collect();
    if let Some(position) = &request.from {
        select = select.filter(after_position(&keys, position));
    }
    for key in &keys {
        let order = if key.descending { Order::Desc } else { Order::Asc };
        select = match key.nulls_first {
            None => select.order_by(key.expression.clone(), order),
            Some(true) => select.order_by_with_nulls(key.expression.clone(), order, NullOrdering::First),
            Some(false) => select.order_by_with_nulls(key.expression.clone(), order, NullOrdering::Last),
        };
    }
    let id_order = if id_descends(&keys) { Order::Desc } else { Order::Asc };
    select.order_by(Column::Id, id_order).limit(request.size as u64 + 1)
}

/// An order key as SQL, in the scan direction.
struct OrderExpression {
    expression: SimpleExpr,
    field: OrderField,
    descending: bool,
    /// None when the field is never null: with an explicit order of nulls PostgreSQL would not use the index.
    nulls_first: Option<bool>,
}

impl OrderExpression {
    fn new(key: &OrderKey, backward: bool) -> Self {
        Self {
            expression: expression(key.field),
            field: key.field,
            descending: key.descending != backward,
            nulls_first: key.field.nullable().then_some(key.nulls_first != backward),
        }
    }

    fn value(&self, value: &KeyValue) -> Value {
        match (self.field, value) {
            (_, KeyValue::Null) => Value::ChronoDateTimeUtc(None),
            (OrderField::List, KeyValue::Text(id)) => id.parse::<Uuid>().unwrap_or_default().into(),
            (OrderField::ListPosition, KeyValue::Number(position)) => (*position).into(),
            (_, KeyValue::Text(text)) => text.as_str().into(),
            (OrderField::Priority | OrderField::Status, KeyValue::Number(rank)) => (*rank as i32).into(),
            (_, KeyValue::Number(ms)) => DateTime::from_timestamp_millis(*ms).into(),
        }
    }

    fn equals(&self, value: &KeyValue) -> SimpleExpr {
        match value {
            KeyValue::Null => self.expression.clone().is_null(),
            value => self.expression.clone().eq(self.value(value)),
        }
    }

    /// The condition that a row comes after `value` in the scan direction; None when no row can.
    fn after(&self, value: &KeyValue) -> Option<SimpleExpr> {
        let column = || self.expression.clone();
        match (value, self.nulls_first) {
            (KeyValue::Null, Some(true)) => Some(column().is_not_null()),
            (KeyValue::Null, _) => None,
            (value, nulls) => {
                let value = self.value(value);
                let beyond = if self.descending { column().lt(value) } else { column().gt(value) };
                Some(if nulls == Some(false) { beyond.or(column().is_null()) } else { beyond })
            }
        }
    }

    /// A redundant bound that all remaining rows meet, so that an index scan can start there; None when there
    /// is none.
    fn at_or_after(&self, value: &KeyValue) -> Option<SimpleExpr> {
        if *value == KeyValue::Null || self.nulls_first == Some(false) {
            return None;
        }
        let (column, value) = (self.expression.clone(), self.value(value));
        Some(if self.descending { column.lte(value) } else { column.gte(value) })
    }
}

fn id_descends(keys: &[OrderExpression]) -> bool {
    keys.last().is_some_and(|key| key.descending)
}

/// The condition that a row comes after a cursor: its first key is greater, or is equal and the next key is
/// greater, and so on until the id, which is unique.
fn after_position(keys: &[OrderExpression], position: &CursorKey) -> SimpleExpr {
    let id = if id_descends(keys) { Column::Id.lt(position.id) } else { Column::Id.gt(position.id) };
    let further = keys.iter().zip(&position.keys).rev().fold(id, |rest, (key, value)| {
        let tied = key.equals(value).and(rest);
        match key.after(value) {
            Some(after) => after.or(tied),
            None => tied,
        }
    });
    let bound = keys.first().zip(position.keys.first()).and_then(|(key, value)| key.at_or_after(value));
    match bound {
        Some(bound) => bound.and(further),
        None => further,
    }
}

/// The column of an order field.
pub fn column(field: OrderField) -> Column {
    match field {
        OrderField::CreatedAt => Column::CreatedAt,
        OrderField::UpdatedAt => Column::UpdatedAt,
        OrderField::DueAt => Column::DueAt,
        OrderField::CompletedAt => Column::CompletedAt,
        OrderField::Title => Column::TitleKey,
        OrderField::DeletedAt => Column::DeletedAt,
        OrderField::Status => Column::Status,
        OrderField::Priority => Column::Priority,
        OrderField::List => Column::ListId,
        OrderField::ListPosition => Column::ListPosition,
    }
}

fn expression(field: OrderField) -> SimpleExpr {
    match column(field) {
        column @ Column::Status => rank::<TaskStatus>(column),
        column @ Column::Priority => rank::<TaskPriority>(column),
        column => column.into_expr(),
    }
}

/// The index of a stored name among the values of its enum, as SQL.
fn rank<T: StoredEnum>(column: Column) -> SimpleExpr {
    let named = (0..).zip(T::ALL);
    let case = named.fold(CaseStatement::new(), |case, (rank, value)| {
        case.case(column.eq(value.name()), Expr::val::<i32>(rank))
    });
    case.into()
}
