//! A column that contains the name of an enum's value.

use sea_orm::sqlx::error::BoxDynError;
use sea_orm::sqlx::{Database, Decode};

use crate::domain::StoredEnum;

/// A value that is stored by name. Its name is compared where the driver received it, without a copy.
pub struct Stored<T>(pub T);

impl<'r, D: Database, T: StoredEnum> Decode<'r, D> for Stored<T>
where
    &'r str: Decode<'r, D>,
{
    /// Fails when this version has no value with the name.
    fn decode(value: D::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let name = <&str>::decode(value)?;
        let unknown = || format!("a row has the unknown value {name}");
        Ok(Self(T::from_name(name).ok_or_else(unknown)?))
    }
}

/// The first value, for a column that is not read.
impl<T: StoredEnum> Default for Stored<T> {
    fn default() -> Self {
        Self(T::ALL[0])
    }
}
