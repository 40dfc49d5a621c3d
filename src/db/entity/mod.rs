//! The rows, as the migrations made them.

pub mod checklist_item;
pub mod file_change;
pub mod login_attempt;
pub mod risk;
pub mod session;
pub mod session_ending;
pub mod task;
pub mod user;

use crate::domain::{Error, Result, StoredEnum};

/// The value that is stored under a name; fails on one that this program does not know.
fn named<T: StoredEnum>(name: &str) -> Result<T> {
    T::from_name(name).ok_or_else(|| Error::internal(anyhow::anyhow!("a row has the unknown value {name}")))
}

/// Some of the columns of a row, each by its place: the first is the lowest bit.
#[derive(Clone, Copy)]
pub struct ColumnSet(u32);

impl ColumnSet {
    const ALL: Self = Self(u32::MAX);

    /// Those that are to be read.
    fn of(names: &[&str], is_read: impl Fn(&str) -> bool) -> Self {
        let bits = (0..).zip(names).map(|(place, name)| u32::from(is_read(name)) << place);
        Self(bits.fold(0, |all, bit| all | bit))
    }

    fn has(self, place: u32) -> bool {
        self.0 >> place & 1 == 1
    }
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
            const NAMES: &[&str] = &[$(stringify!($field)),*];

            /// A selection of these columns; it is to be made into a model of this type.
            pub fn find() -> sea_orm::Select<Entity> {
                Self::find_only(super::ColumnSet::ALL)
            }

            /// The columns of these names.
            pub fn some(is_read: impl Fn(&str) -> bool) -> super::ColumnSet {
                super::ColumnSet::of(Self::NAMES, is_read)
            }

            /// A selection of some of the columns, for [`Self::read`].
            pub fn find_only(columns: super::ColumnSet) -> sea_orm::Select<Entity> {
                use sea_orm::{EntityTrait, QuerySelect, Select, sea_query::Expr};
                // Making a selection names all columns, only for them to be left out again.
                static BARE: std::sync::LazyLock<Select<Entity>> =
                    std::sync::LazyLock::new(|| Entity::find().select_only());
                let named = (0..).zip(Self::NAMES).filter(|(place, _)| columns.has(*place));
                let names: Vec<&str> = named.map(|(_, name)| *name).collect();
                BARE.clone().expr(Expr::cust(names.join(", ")))
            }

            /// A row of which these columns were selected; the others have their default.
            pub fn read(row: &sea_orm::QueryResult, columns: super::ColumnSet) -> Result<Self, sea_orm::DbErr> {
                use sea_orm::sqlx::{self, Row};
                macro_rules! read {
                    ($it:expr) => {{
                        let (mut fields, mut places) = (0.., 0_usize..);
                        let mut place = || fields.next().filter(|at| columns.has(*at)).and_then(|_| places.next());
                        Ok(Self { $($field: match place() {
                            Some(place) => $it.try_get_unchecked(place)?,
                            None => Default::default(),
                        }),* })
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

        impl sea_orm::FromQueryResult for $row {
            fn from_query_result(row: &sea_orm::QueryResult, _: &str) -> Result<Self, sea_orm::DbErr> {
                Self::read(row, super::ColumnSet::ALL)
            }
        }
    };
}
use row;
