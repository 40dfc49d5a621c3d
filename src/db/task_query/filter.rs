//! Translates filters of tasks to SQL conditions.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{ColumnTrait, DbBackend};

use crate::db::entity::task::Column;
use crate::domain::{Bound, DateField, DateRange, ListFilter, MAX_LABELS, StoredEnum, TaskFilter};

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
        TaskFilter::List(filter) => list_condition(filter, backend),
    }
}

/// A column of a task that belongs to no list is null, so each condition first excludes these.
fn list_condition(filter: &ListFilter, backend: DbBackend) -> SimpleExpr {
    let in_list = || Column::ListId.is_not_null();
    let one_of = |column: Column, values: &BTreeSet<String>| {
        column.is_not_null().and(one_of(column, values.iter().map(String::as_str)))
    };
    match filter {
        ListFilter::Any(true) => in_list(),
        ListFilter::Any(false) => Column::ListId.is_null(),
        ListFilter::Id(Some(id)) => in_list().and(Column::ListId.eq(*id)),
        ListFilter::Id(None) => constant(false),
        ListFilter::Key(keys) => one_of(Column::Key, keys),
        ListFilter::Phase(numbers) => one_of(Column::PhaseNumber, numbers),
        ListFilter::Story(keys) => {
            let any = keys.iter().map(|key| contains(Column::Stories, format!("\n{key}\n"), backend));
            let any = any.reduce(|a, b| a.or(b)).unwrap_or_else(|| constant(false));
            Column::Stories.is_not_null().and(any)
        }
        ListFilter::Parallel(true) => in_list().and(Column::Parallel.eq(true)),
        ListFilter::Parallel(false) => Column::ListId.is_null().or(Column::Parallel.eq(false)),
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
