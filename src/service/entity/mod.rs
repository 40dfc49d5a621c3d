//! The rows, as the migrations made them.

pub mod checklist_item;
pub mod file_change;
pub mod login_attempt;
pub mod risk;
pub mod session;
pub mod session_ending;
pub mod task;
pub mod user;

use crate::domain::{Error, Named, Result};

/// The value that is stored under a name; fails on one that this program does not know.
fn named<T: Named>(name: &str) -> Result<T> {
    T::named(name).ok_or_else(|| Error::internal(anyhow::anyhow!("a row has the unknown value {name}")))
}

/// A struct whose fields are columns, read from rows by their places. Finding each column by its name, and
/// wording an error for each NULL, as derived code does, costs more than the rest of reading a list, and
/// naming them one by one costs more than asking for one row. The migrations have given the columns their
/// types.
macro_rules! row {
    ($(#[$documentation:meta])* pub struct $row:ident { $(pub $field:ident: $ty:ty),* $(,)? }) => {
        $(#[$documentation])*
        pub struct $row {
            $(pub $field: $ty),*
        }

        impl $row {
            /// A selection of these columns; it is to be made into a model of this type.
            pub fn find() -> sea_orm::Select<Entity> {
                Self::find_with(|_| true)
            }

            /// The same with NULL in place of the columns that are not to be read.
            pub fn find_with(is_read: impl Fn(&str) -> bool) -> sea_orm::Select<Entity> {
                use sea_orm::{EntityTrait, QuerySelect, Select, sea_query::Expr};
                // Making a selection names all columns, only for them to be left out again.
                static BARE: std::sync::LazyLock<Select<Entity>> =
                    std::sync::LazyLock::new(|| Entity::find().select_only());
                let name = |column| if is_read(column) { column } else { "NULL" };
                let columns = [$(name(stringify!($field))),*].join(", ");
                BARE.clone().expr(Expr::cust(columns))
            }
        }

        impl sea_orm::FromQueryResult for $row {
            fn from_query_result(row: &sea_orm::QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
                use sea_orm::sqlx::{self, Row};
                macro_rules! read {
                    ($it:expr) => {{
                        let mut places = 0_usize..;
                        Ok(Self { $($field: $it.try_get_unchecked(places.next().unwrap_or(usize::MAX))?),* })
                    }};
                }
                let read = || -> sqlx::Result<Self> {
                    match (row.try_as_pg_row(), row.try_as_sqlite_row()) {
                        (Some(row), _) => read!(row),
                        (_, Some(row)) => read!(row),
                        _ => Err(sqlx::Error::RowNotFound),
                    }
                };
                read().map_err(|error| sea_orm::DbErr::Query(sea_orm::RuntimeErr::SqlxError(error.into())))
            }
        }
    };
}
use row;
