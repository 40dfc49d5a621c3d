//! Rewrites parsed documents into equivalent ones that async-graphql executes as the specification says.

use async_graphql_parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, InlineFragment,
    OperationDefinition, Selection, SelectionSet,
};
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{ConstValue as Value, Name, Value as Literal, Variables};
use indexmap::IndexMap;

use crate::operation::{find_operation, find_operation_mut};

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
    selection_sets_mut(document).for_each(|(set, _)| wrap(set));
}

/// Replaces `__schema { description }` by `subscriptionType`, which is always null: the schema has no
/// description, but async-graphql returns a text about schemas in general.
pub fn hide_schema_description(document: &mut ExecutableDocument) {
    fn hide(set: &mut SelectionSet, is_schema: bool) {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) if is_schema && is_plain_description(&field.node) => {
                    let (field, pos) = (&mut field.node, selection.pos);
                    field.alias = Some(field.response_key().clone());
                    field.name.node = Name::new("subscriptionType");
                    field.selection_set.node.items = vec![Positioned::new(typename(pos), pos)];
                }
                Selection::Field(field) => {
                    let is_schema = field.node.name.node == "__schema";
                    hide(&mut field.node.selection_set.node, is_schema);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let is_schema = condition.map_or(is_schema, |on| on.node.on.node == "__Schema");
                    hide(&mut inline.node.selection_set.node, is_schema);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    selection_sets_mut(document).for_each(|(set, ty)| hide(set, ty.is_some_and(|ty| ty == "__Schema")));
}

/// Whether it is `description` without arguments and selection set; validation refuses the others.
fn is_plain_description(field: &Field) -> bool {
    field.name.node == "description"
        && field.arguments.is_empty()
        && field.selection_set.node.items.is_empty()
}

/// The selection sets of all operations and fragments; those of fragments with their type condition.
fn selection_sets_mut(
    document: &mut ExecutableDocument,
) -> impl Iterator<Item = (&mut SelectionSet, Option<&Name>)> {
    let operations: Vec<&mut Positioned<OperationDefinition>> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(all) => all.values_mut().collect(),
    };
    let operations = operations.into_iter().map(|operation| (&mut operation.node.selection_set.node, None));
    let fragments = document.fragments.values_mut().map(|fragment| {
        let FragmentDefinition { selection_set, type_condition, .. } = &mut fragment.node;
        (&mut selection_set.node, Some(&type_condition.node.on.node))
    });
    operations.chain(fragments)
}

fn typename(pos: Pos) -> Selection {
    Selection::Field(Positioned::new(
        Field {
            alias: None,
            name: Positioned::new(Name::new("__typename"), pos),
            arguments: Vec::new(),
            directives: Vec::new(),
            selection_set: Positioned::new(SelectionSet::default(), pos),
        },
        pos,
    ))
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
