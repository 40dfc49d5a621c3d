//! Values of the enums of the schema in JSON that is not the result of an operation.

use async_graphql::resolver_utils::{EnumType, enum_value};
use serde::{Serialize, Serializer};

/// Serializes a value as its name in the schema.
pub fn serialize<E: EnumType, S: Serializer>(value: &E, serializer: S) -> Result<S::Ok, S::Error> {
    enum_value(*value).serialize(serializer)
}
