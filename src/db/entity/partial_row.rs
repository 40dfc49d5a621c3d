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

    /// The column with this name among `names`; none when there is no such column.
    pub(super) fn of(name: &str, names: &[&str]) -> Self {
        let position = names.iter().position(|other| *other == name);
        Self(position.map_or(0, |position| 1 << position))
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
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

            /// Selects these columns, for [`Self::all`].
            pub fn find() -> sea_orm::Select<Entity> {
                Self::find_columns(crate::db::entity::ColumnSet::ALL)
            }

            /// Selects some of the columns, for [`Self::all_columns`].
            pub fn find_columns(columns: crate::db::entity::ColumnSet) -> sea_orm::Select<Entity> {
                use sea_orm::{EntityTrait, QuerySelect, Select, sea_query::Expr};
                // Cached, because `find` first lists all columns, which `select_only` then removes.
                static BARE: std::sync::LazyLock<Select<Entity>> =
                    std::sync::LazyLock::new(|| Entity::find().select_only());
                let named = (0..).zip(Self::NAMES).filter(|(place, _)| columns.has(*place));
                let names: Vec<&str> = named.map(|(_, name)| *name).collect();
                BARE.clone().expr(Expr::cust(names.join(", ")))
            }

            /// Runs a selection of all columns and converts each row.
            pub async fn all<T: From<Self>>(
                select: sea_orm::Select<Entity>,
                on: &impl sea_orm::ConnectionTrait,
            ) -> Result<Vec<T>, sea_orm::DbErr> {
                Self::all_columns(select, crate::db::entity::ColumnSet::ALL, on).await
            }

            /// Runs a selection of `columns` and converts each row. The other fields have their default values.
            pub async fn all_columns<T: From<Self>>(
                select: sea_orm::Select<Entity>,
                columns: crate::db::entity::ColumnSet,
                on: &impl sea_orm::ConnectionTrait,
            ) -> Result<Vec<T>, sea_orm::DbErr> {
                use sea_orm::QueryTrait;
                let rows = on.query_all(&select.into_query()).await?;
                let mut converted = Vec::with_capacity(rows.len());
                // Each row is dropped after it was converted, so that long texts are not in memory twice.
                for row in rows {
                    converted.push(Self::from_row(&row, columns)?.into());
                }
                Ok(converted)
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
    };
}
pub(super) use partial_row;
