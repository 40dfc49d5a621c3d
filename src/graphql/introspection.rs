//! A correction of introspection results.

use async_graphql::Value;

/// The description that async-graphql gives to every schema: a text about schemas in general.
const GENERAL_DESCRIPTION: &str = "A GraphQL Schema defines the capabilities of a GraphQL server. It exposes all \
    available types and directives on the server, as well as the entry points for query, mutation, and \
    subscription operations.";

/// Replaces the description in `__schema { description }` by null, since the schema has none. `keys` are the
/// response keys of `__schema`.
pub fn remove_general_description(data: &mut Value, keys: &[String]) {
    let Value::Object(roots) = data else { return };
    for key in keys {
        let Some(Value::Object(fields)) = roots.get_mut(key.as_str()) else { continue };
        for value in fields.values_mut() {
            if matches!(value, Value::String(text) if text == GENERAL_DESCRIPTION) {
                *value = Value::Null;
            }
        }
    }
}
