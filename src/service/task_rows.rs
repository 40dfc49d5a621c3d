//! Conditions and conversions of task rows that the handle of one viewer and shared statements both need.

use sea_orm::sea_query::{CaseStatement, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DbErr, SqlErr};

use crate::db::entity::task::Column;
use crate::db::map_error;
use crate::domain::Error;

/// `NOT (deleted_at IS NOT NULL)` keeps SQLite from using a partial index of active tasks, with which it
/// would read all tasks of the owner.
pub fn is_active() -> SimpleExpr {
    Column::DeletedAt.is_not_null().not()
}

/// Wraps a condition in CASE, so that a statement that finds tasks by id does not use an index for this
/// condition instead and read all tasks of an owner.
pub fn without_index(condition: SimpleExpr) -> SimpleExpr {
    CaseStatement::new().case(condition, true).finally(false).into()
}

/// The domain error of a failed insert. A foreign key violation means that the owner has just been deleted.
pub fn insert_error(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::Unauthenticated("Invalid token"),
        _ => map_error(error),
    }
}
