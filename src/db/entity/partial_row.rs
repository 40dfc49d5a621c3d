//! Rows that are read by column index, completely or in part.

/// A set of columns. Bit n stands for the column with index n.
#[derive(Clone, Copy)]
pub struct ColumnSet(u32);

impl ColumnSet {
    pub(super) const ALL: Self = Self(u32::MAX);

    /// The first `count` columns.
    pub(super) const fn first(count: usize) -> Self {
        Self((1 << count) - 1)
    }

    /// Adds the first column whose name in `names` satisfies `is_meant`.
    pub(super) fn add(&mut self, names: &[&str], is_meant: impl Fn(&str) -> bool) {
        if let Some((position, _)) = (0..).zip(names).find(|(_, name)| is_meant(name)) {
            self.0 |= 1 << position;
        }
    }

    pub(super) fn has(self, position: u32) -> bool {
        self.0 >> position & 1 == 1
    }
}

/// Defines a struct whose fields are columns, read from rows by column index. Derived code finds columns by
/// name and builds an error for each NULL, which takes longer than the rest of reading a list. Column types
/// are not checked, because the migrations define them.
macro_rules! partial_row {
    (
        $(#[$documentation:meta])*
        pub struct $row:ident {
            $(pub $field:ident: $ty:ty),* $(,)?
            $(; $(pub $optional:ident: $optional_ty:ty),* $(,)?)?
        }
    ) => {
        $(#[$documentation])*
        pub struct $row {
            $(pub $field: $ty,)*
            $($(pub $optional: $optional_ty,)*)?
        }

        impl $row {
            const NAMES: &[&str] = &[$(stringify!($field),)* $($(stringify!($optional),)*)?];
            $(const REQUIRED: crate::db::entity::ColumnSet =
                crate::db::entity::ColumnSet::first(Self::NAMES.len() - [$(stringify!($optional)),*].len());)?

            /// Selects these columns. The caller converts the selection with `into_model`.
            pub fn find() -> sea_orm::Select<Entity> {
                Self::find_columns(crate::db::entity::ColumnSet::ALL)
            }

            /// Selects some of the columns, for [`Self::from_row`].
            pub fn find_columns(columns: crate::db::entity::ColumnSet) -> sea_orm::Select<Entity> {
                use sea_orm::{EntityTrait, QuerySelect, Select, sea_query::Expr};
                // Cached, because `find` first lists all columns, which `select_only` then removes.
                static BARE: std::sync::LazyLock<Select<Entity>> =
                    std::sync::LazyLock::new(|| Entity::find().select_only());
                let named = (0..).zip(Self::NAMES).filter(|(place, _)| columns.has(*place));
                let names: Vec<&str> = named.map(|(_, name)| *name).collect();
                BARE.clone().expr(Expr::cust(names.join(", ")))
            }

            /// Reads a row of a selection of `columns`. The other fields have their default values.
            pub fn from_row(row: &sea_orm::QueryResult, columns: crate::db::entity::ColumnSet) -> Result<Self, sea_orm::DbErr> {
                use sea_orm::sqlx::{self, Row};
                macro_rules! read {
                    ($it:expr) => {{
                        let (mut fields, mut places) = (0.., 0_usize..);
                        let mut place = || fields.next().filter(|at| columns.has(*at)).and_then(|_| places.next());
                        macro_rules! column {
                            () => {
                                match place() {
                                    Some(place) => $it.try_get_unchecked(place)?,
                                    None => Default::default(),
                                }
                            };
                        }
                        Ok(Self { $($field: column!(),)* $($($optional: column!(),)*)? })
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
                Self::from_row(row, crate::db::entity::ColumnSet::ALL)
            }
        }
    };
}
pub(super) use partial_row;
