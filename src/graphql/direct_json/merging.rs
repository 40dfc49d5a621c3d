//! Which documents need their fields merged.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// Whether a document selects an object several times under one response key. The selections have to be
/// merged then (specification, 6.3.2), which is done with values and not with JSON.
pub fn needs_field_merging(document: &ExecutableDocument) -> bool {
    document
        .operations
        .iter()
        .any(|(_, operation)| needs_field_merging_in(&operation.node.selection_set.node, document))
}

fn needs_field_merging_in(set: &SelectionSet, document: &ExecutableDocument) -> bool {
    let mut objects = HashMap::<&str, &SelectionSet>::new();
    let mut sets = vec![set];
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let inner = &field.node.selection_set.node;
                    let key = field.node.response_key().node.as_str();
                    if !inner.items.is_empty() && objects.insert(key, inner).is_some() {
                        return true;
                    }
                }
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let fragment = document.fragments.get(&spread.node.fragment_name.node);
                    sets.extend(fragment.map(|fragment| &fragment.node.selection_set.node));
                }
            }
        }
    }
    objects.into_values().any(|inner| needs_field_merging_in(inner, document))
}
