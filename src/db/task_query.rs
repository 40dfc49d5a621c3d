//! Translates filters, orders and pages of tasks to SQL that has the same meaning on both databases.

use std::collections::BTreeSet;

use chrono::DateTime;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Func, NullOrdering, SimpleExpr, Value};
use sea_orm::{ColumnTrait, DbBackend, Order, QueryOrder, Select};

use crate::db::entity::task::{Column, Entity};
use crate::domain::{
    Bound, CursorKey, DateField, DateRange, KeyValue, MAX_LABELS, OrderField, OrderKey, PageRequest,
    StoredEnum, TaskFilter, TaskPriority, TaskStatus,
};

/// The SQL condition of a filter. It is never NULL, so that NOT is plain negation.
pub fn condition(filter: &TaskFilter, backend: DbBackend) -> SimpleExpr {
    let condition = |filter: &TaskFilter| condition(filter, backend);
    let join = |filters: &[TaskFilter], none: bool, and_or: fn(SimpleExpr, SimpleExpr) -> SimpleExpr| {
        filters.iter().map(condition).reduce(and_or).unwrap_or_else(|| constant(none))
    };
    match filter {
        TaskFilter::All(filters) => join(filters, true, |a, b| a.and(b)),
        TaskFilter::Any(filters) => join(filters, false, |a, b| a.or(b)),
        TaskFilter::Not(filter) => condition(filter).not(),
        TaskFilter::Status(any) => one_of(Column::Status, any.iter().map(|status| status.name())),
        TaskFilter::Priority(any) => one_of(Column::Priority, any.iter().map(|priority| priority.name())),
        TaskFilter::Labels(keys) if keys.len() > MAX_LABELS => constant(false),
        TaskFilter::Labels(keys) => {
            let lines = keys.iter().map(|key| format!("\n{key}\n"));
            all(lines.map(|line| contains(Column::LabelsKey, line, backend)))
        }
        TaskFilter::Words(words) => {
            all(words.iter().map(|word| contains(Column::SearchKey, word.clone(), backend)))
        }
        TaskFilter::Date(field, range) => date_condition(*field, range),
    }
}

fn all(conditions: impl Iterator<Item = SimpleExpr>) -> SimpleExpr {
    conditions.reduce(|a, b| a.and(b)).unwrap_or_else(|| constant(true))
}

/// Whether a text contains another text literally. LIKE would need escaping and limits the length of its
/// pattern.
fn contains(column: Column, part: String, backend: DbBackend) -> SimpleExpr {
    let find = Func::cust(if backend == DbBackend::Postgres { "strpos" } else { "instr" });
    Expr::from(find.arg(column.into_expr()).arg(part)).gt(0)
}

fn constant(value: bool) -> SimpleExpr {
    // PostgreSQL does not accept a number as a boolean, and older versions of SQLite do not support TRUE.
    Expr::val(1).eq(i32::from(value))
}

fn one_of<'a>(column: Column, names: impl Iterator<Item = &'a str>) -> SimpleExpr {
    // Duplicates are removed, because a client may send more values than a statement may have parameters.
    let names: BTreeSet<&str> = names.collect();
    if names.is_empty() { constant(false) } else { column.is_in(names) }
}

fn date_condition(field: DateField, range: &DateRange) -> SimpleExpr {
    let column = match field {
        DateField::DueAt => Column::DueAt,
        DateField::CreatedAt => Column::CreatedAt,
        DateField::UpdatedAt => Column::UpdatedAt,
        DateField::CompletedAt => Column::CompletedAt,
    };
    let DateRange { from, before, is_null } = range;
    let known = column.is_not_null();
    let bounds = [
        from.map(|Bound { at, is_between }| {
            known.clone().and(if is_between { column.gt(at) } else { column.gte(at) })
        }),
        before.map(|Bound { at, is_between }| {
            known.clone().and(if is_between { column.lte(at) } else { column.lt(at) })
        }),
        is_null.map(|is_null| if is_null { column.is_null() } else { known.clone() }),
    ]
    .into_iter()
    .flatten();
    all(bounds)
}

/// Restricts a list to one page and one additional task, in the scan direction.
pub fn page(mut select: Select<Entity>, order: &[OrderKey], request: &PageRequest) -> Select<Entity> {
    use sea_orm::{QueryFilter, QuerySelect};
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
