//! Types of columns, as rows are read: enums by name, and instants.

use chrono::{DateTime, Utc};
use sea_orm::sqlx::error::BoxDynError;
use sea_orm::sqlx::{Database, Decode, Postgres, Sqlite};

use crate::domain::StoredEnum;

/// A value that is stored by name. Its name is compared where the driver received it, without a copy.
pub struct StoredName<T>(pub T);

impl<'r, D: Database, T: StoredEnum> Decode<'r, D> for StoredName<T>
where
    &'r str: Decode<'r, D>,
{
    /// Fails when this version has no value with the name.
    fn decode(value: D::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let name = <&str>::decode(value)?;
        let message = || format!("a row has the unknown value {name}");
        Ok(Self(T::from_name(name).ok_or_else(message)?))
    }
}

/// The first value, for a column that is not read.
impl<T: StoredEnum> Default for StoredName<T> {
    fn default() -> Self {
        Self(T::ALL[0])
    }
}

/// An instant. The driver converts those of PostgreSQL by way of a calendar date, which takes ten times as long.
#[derive(Default)]
pub struct StoredInstant(pub DateTime<Utc>);

/// 2000-01-01 in microseconds since 1970: the instant from which PostgreSQL counts.
const POSTGRES_EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

impl<'r> Decode<'r, Postgres> for StoredInstant {
    /// Fails for infinity, which is no instant.
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let microseconds = <i64 as Decode<Postgres>>::decode(value)?.checked_add(POSTGRES_EPOCH_MICROSECONDS);
        let instant = microseconds.and_then(DateTime::from_timestamp_micros);
        Ok(Self(instant.ok_or("a row has an instant that is out of range")?))
    }
}

impl<'r> Decode<'r, Sqlite> for StoredInstant {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <DateTime<Utc> as Decode<Sqlite>>::decode(value).map(Self)
    }
}
