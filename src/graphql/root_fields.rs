//! The facts about the root fields of an operation that the engine needs for its decisions.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};

use crate::graphql::guard;

/// The root fields of an operation.
#[derive(Default)]
pub struct RootFields {
    /// The response keys, without those of `__typename`.
    pub keys: HashSet<String>,
    /// Whether there is a field that needs no sign-in.
    pub has_public_query: bool,
    /// Whether there is an introspection field.
    pub has_introspection: bool,
    /// The response keys of `__schema`.
    pub schema_keys: Vec<String>,
}

impl RootFields {
    /// The root fields of an operation; `public_fields` are the names of queries that need no sign-in.
    pub fn of(
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        public_fields: &[&str],
    ) -> Self {
        let fields = guard::root_fields(document, operation);
        let has = |names: &[&str]| fields.iter().any(|field| names.contains(&field.name.node.as_str()));
        let has_introspection = has(&["__schema", "__type"]);
        Self {
            has_public_query: has_introspection || has(public_fields),
            has_introspection,
            schema_keys: fields
                .iter()
                .filter(|field| field.name.node == "__schema")
                .map(|field| field.response_key().node.to_string())
                .collect(),
            keys: fields
                .iter()
                .filter(|field| field.name.node != "__typename")
                .map(|field| field.response_key().node.to_string())
                .collect(),
        }
    }
}
