//! Validates two parts of a document that async-graphql does not validate: the arguments and the selection
//! set of a `__typename`, and the directives of variable definitions.

use async_graphql_parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};

use crate::Error;
use crate::schema::SchemaIndex;

/// Checks the `__typename` fields and the variable definitions of a document. Errors: [`Error::Invalid`] for
/// the first one that is invalid.
pub fn check(document: &ExecutableDocument, schema: &SchemaIndex) -> Result<(), Error> {
    for (_, operation) in document.operations.iter() {
        check_variable_directives(&operation.node, schema)?;
        check_selection_set(&operation.node.selection_set.node)?;
    }
    document
        .fragments
        .values()
        .try_for_each(|fragment| check_selection_set(&fragment.node.selection_set.node))
}

/// Refuses every directive of a variable definition: no directive of the schema has that location.
fn check_variable_directives(operation: &OperationDefinition, schema: &SchemaIndex) -> Result<(), Error> {
    let definitions = operation.variable_definitions.iter();
    let Some(directive) = definitions.flat_map(|definition| &definition.node.directives).next() else {
        return Ok(());
    };
    let name = &directive.node.name.node;
    let message = match schema.directive(name) {
        Some(_) => format!("Directive \"{name}\" may not be used on \"VARIABLE_DEFINITION\""),
        None => format!("Unknown directive \"{name}\""),
    };
    Err(Error::Invalid { message, position: Some(directive.pos) })
}

fn check_selection_set(set: &SelectionSet) -> Result<(), Error> {
    set.items.iter().try_for_each(|selection| match &selection.node {
        Selection::Field(field) if is_invalid_typename(&field.node) => {
            Err(Error::invalid("__typename has neither arguments nor fields."))
        }
        Selection::Field(field) => check_selection_set(&field.node.selection_set.node),
        Selection::InlineFragment(inline) => check_selection_set(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => Ok(()),
    })
}

fn is_invalid_typename(field: &Field) -> bool {
    let is_bare = field.arguments.is_empty() && field.selection_set.node.items.is_empty();
    field.name.node == "__typename" && !is_bare
}
