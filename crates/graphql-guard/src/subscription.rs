//! Checks the root field of a subscription.

use std::collections::HashSet;

use async_graphql_parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, TypeCondition,
};
use async_graphql_parser::{Pos, Positioned};

use crate::Error;
use crate::operation::root_type;
use crate::schema::SchemaIndex;

/// Checks that a subscription selects exactly one field, without a directive, and that the field exists.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    schema: &SchemaIndex,
) -> Result<(), Error> {
    let mut fields = Vec::new();
    collect(document, &operation.selection_set.node, &mut fields)?;
    let keys: HashSet<&str> = fields.iter().map(|field| field.node.response_key().node.as_str()).collect();
    if let (Some(second), true) = (fields.get(1), keys.len() > 1) {
        return Err(invalid("A subscription selects exactly one field.", second.pos));
    }
    let subscription = root_type(OperationType::Subscription);
    for field in fields {
        let name = &field.node.name.node;
        if name == "__typename" {
            return Err(invalid("A subscription cannot select __typename at its root.", field.pos));
        }
        if schema.field(subscription, name).is_none() {
            return Err(invalid(&format!("Unknown field \"{name}\" on type \"{subscription}\"."), field.pos));
        }
    }
    Ok(())
}

/// Adds the root fields, including those in fragments. Errors: a root field or a fragment around it has a
/// directive.
fn collect<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    fields: &mut Vec<&'a Positioned<Field>>,
) -> Result<(), Error> {
    for selection in &set.items {
        if let Some(directive) = selection.node.directives().first() {
            return Err(invalid("The field of a subscription cannot have a directive.", directive.pos));
        }
        match &selection.node {
            Selection::Field(field) => fields.push(field),
            Selection::InlineFragment(inline) => {
                inline.node.type_condition.as_ref().map_or(Ok(()), check_condition)?;
                collect(document, &inline.node.selection_set.node, fields)?;
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    check_condition(&fragment.node.type_condition)?;
                    collect(document, &fragment.node.selection_set.node, fields)?;
                }
            }
        }
    }
    Ok(())
}

/// Checks the type of a fragment at the root.
fn check_condition(condition: &Positioned<TypeCondition>) -> Result<(), Error> {
    if condition.node.on.node == root_type(OperationType::Subscription) {
        return Ok(());
    }
    Err(invalid("A fragment at the root of a subscription needs the type Subscription.", condition.pos))
}

fn invalid(message: &str, position: Pos) -> Error {
    Error::Invalid { message: message.to_owned(), position: Some(position) }
}
