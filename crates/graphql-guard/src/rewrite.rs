//! Rewrites parsed documents into equivalent ones that async-graphql executes as the specification says.

use async_graphql_parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition,
    OperationType, Selection, SelectionSet, TypeCondition,
};
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{ConstValue as Value, Name, Value as Literal, Variables};
use indexmap::IndexMap;

use crate::operation::{find_operation, find_operation_mut, root_type};

/// Moves the directives of `__typename` to an inline fragment around it: async-graphql does not visit them
/// on `__typename`, and reports a variable as unused that occurs only there.
pub fn wrap_typename_directives(document: &mut ExecutableDocument) {
    fn wrap(set: &mut SelectionSet) {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) if field.node.name.node == "__typename" => {
                    let directives = std::mem::take(&mut field.node.directives);
                    if !directives.is_empty() {
                        selection.node = inline(directives, vec![selection.clone()], selection.pos);
                    }
                }
                Selection::Field(field) => wrap(&mut field.node.selection_set.node),
                Selection::InlineFragment(inline) => wrap(&mut inline.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    selection_sets_mut(document).for_each(wrap);
}

/// Turns subscriptions into queries with the same fields. The schema's query type must have the fields of its
/// subscription type. All of the document's subscriptions are turned, since validation checks all operations.
pub fn subscriptions_as_queries(document: &mut ExecutableDocument) {
    let rename = |condition: &mut Positioned<TypeCondition>| {
        if condition.node.on.node == root_type(OperationType::Subscription) {
            condition.node.on.node = Name::new(root_type(OperationType::Query));
        }
    };
    fn rename_in(set: &mut SelectionSet, rename: &impl Fn(&mut Positioned<TypeCondition>)) {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) => rename_in(&mut field.node.selection_set.node, rename),
                Selection::InlineFragment(inline) => {
                    inline.node.type_condition.iter_mut().for_each(rename);
                    rename_in(&mut inline.node.selection_set.node, rename);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    let operations: Vec<&mut Positioned<OperationDefinition>> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(all) => all.values_mut().collect(),
    };
    for operation in operations {
        if operation.node.ty == OperationType::Subscription {
            operation.node.ty = OperationType::Query;
        }
    }
    document.fragments.values_mut().for_each(|fragment| rename(&mut fragment.node.type_condition));
    selection_sets_mut(document).for_each(|set| rename_in(set, &rename));
}

/// The selection sets of all operations and fragments.
fn selection_sets_mut(document: &mut ExecutableDocument) -> impl Iterator<Item = &mut SelectionSet> {
    let operations: Vec<&mut Positioned<OperationDefinition>> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(all) => all.values_mut().collect(),
    };
    let operations = operations.into_iter().map(|operation| &mut operation.node.selection_set.node);
    let fragments = document.fragments.values_mut().map(|fragment| &mut fragment.node.selection_set.node);
    operations.chain(fragments)
}

fn inline(directives: Vec<Positioned<Directive>>, items: Vec<Positioned<Selection>>, pos: Pos) -> Selection {
    let selection_set = Positioned::new(SelectionSet { items }, pos);
    Selection::InlineFragment(Positioned::new(
        InlineFragment { type_condition: None, directives, selection_set },
        pos,
    ))
}

/// Merges root fields with the same response key (GraphQL specification, 6.3.2), since async-graphql executes
/// each of them, and a mutation would run twice. The original selections stay in an inline fragment that is
/// skipped, since validation requires that every fragment and variable is used.
pub fn merge_root_fields(document: &mut ExecutableDocument, name: Option<&str>, variables: &Variables) {
    let Some(operation) = find_operation(document, name) else { return };
    if let [Positioned { node: Selection::Field(_), .. }] = operation.selection_set.node.items.as_slice() {
        return;
    }
    let mut fields = IndexMap::<Name, Positioned<Field>>::new();
    let mut repeated = false;
    each_root_field(document, &operation.selection_set.node, variables, &mut |field| {
        let key = field.node.response_key().node.clone();
        match fields.get_mut(&key) {
            Some(first) => {
                repeated = true;
                let more = field.node.selection_set.node.items.iter().cloned();
                first.node.selection_set.node.items.extend(more);
            }
            None => {
                let mut field = field.clone();
                field.node.directives.clear();
                fields.insert(key, field);
            }
        }
    });
    if !repeated {
        return;
    }
    let Positioned { pos, node: asked } = operation.selection_set.clone();
    let positioned = |name| Positioned::new(Name::new(name), pos);
    let always = (positioned("if"), Positioned::new(Literal::Boolean(true), pos));
    let skip = Directive { name: positioned("skip"), arguments: vec![always] };
    let fields = fields.into_values().map(Selection::Field);
    let fields = fields.chain([inline(vec![Positioned::new(skip, pos)], asked.items, pos)]);
    let items = fields.map(|selection| Positioned::new(selection, pos)).collect();
    if let Some(operation) = find_operation_mut(document, name) {
        operation.selection_set.node.items = items;
    }
}

/// Visits the root fields that `@skip` and `@include` do not exclude.
fn each_root_field<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    variables: &Variables,
    visit: &mut impl FnMut(&'a Positioned<Field>),
) {
    for selection in &set.items {
        if !is_included(selection.node.directives(), variables) {
            continue;
        }
        match &selection.node {
            Selection::Field(field) => visit(field),
            Selection::InlineFragment(inline) => {
                each_root_field(document, &inline.node.selection_set.node, variables, visit);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    each_root_field(document, &fragment.node.selection_set.node, variables, visit);
                }
            }
        }
    }
}

/// Whether `@skip` and `@include` include a selection (GraphQL specification, 3.13.1 and 3.13.2).
fn is_included(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().all(|directive| {
        let is_on = match directive.node.get_argument("if").map(|argument| &argument.node) {
            Some(Literal::Boolean(is_on)) => *is_on,
            Some(Literal::Variable(name)) => variables.get(name) == Some(&Value::Boolean(true)),
            _ => return true,
        };
        match directive.node.name.node.as_str() {
            "skip" => !is_on,
            "include" => is_on,
            _ => true,
        }
    })
}
