//! Checks that fields with the same response key can be merged (GraphQL specification, 5.3.2). async-graphql
//! finds a conflict only between fields of the same selection set.

use std::collections::HashSet;

use async_graphql_parser::types::{
    BaseType, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, Type,
};
use async_graphql_value::Name;
use indexmap::IndexMap;

use crate::Error;
use crate::operation::root_type;
use crate::schema::{SchemaIndex, TypeDef, named_type};

/// Fields by their response key, each with the types of the selection sets around it, outermost first.
type Fields<'a> = IndexMap<&'a Name, Vec<(Vec<&'a str>, &'a Field)>>;

/// Checks the fields of an operation. The number of selections must have been checked, since fragments are
/// expanded here.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    schema: &SchemaIndex,
) -> Result<(), Error> {
    let merging = FieldMerging { document, schema };
    let mut fields = Fields::new();
    let root = vec![root_type(operation.ty)];
    merging.collect(&operation.selection_set.node, &root, &mut HashSet::new(), &mut fields);
    merging.check_fields(&fields)
}

struct FieldMerging<'a> {
    document: &'a ExecutableDocument,
    schema: &'a SchemaIndex,
}

impl<'a> FieldMerging<'a> {
    fn collect(
        &self,
        set: &'a SelectionSet,
        parents: &[&'a str],
        spread: &mut HashSet<&'a Name>,
        fields: &mut Fields<'a>,
    ) {
        let narrowed = |ty: &'a str| {
            let mut narrowed = parents.to_vec();
            narrowed.pop();
            narrowed.push(ty);
            narrowed
        };
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let group = fields.entry(&field.node.response_key().node).or_default();
                    group.push((parents.to_vec(), &field.node));
                }
                Selection::InlineFragment(inline) => {
                    let set = &inline.node.selection_set.node;
                    match &inline.node.type_condition {
                        Some(condition) => {
                            self.collect(set, &narrowed(&condition.node.on.node), spread, fields);
                        }
                        None => self.collect(set, parents, spread, fields),
                    }
                }
                Selection::FragmentSpread(named) => {
                    if let Some(fragment) = self.document.fragments.get(&named.node.fragment_name.node)
                        && spread.insert(&named.node.fragment_name.node)
                    {
                        let parents = narrowed(&fragment.node.type_condition.node.on.node);
                        self.collect(&fragment.node.selection_set.node, &parents, spread, fields);
                    }
                }
            }
        }
    }

    fn check_fields(&self, fields: &Fields<'a>) -> Result<(), Error> {
        for (key, group) in fields {
            // Of the fields with the same parents one is kept: the others are equal to it.
            let mut distinct: Vec<&(Vec<&str>, &Field)> = Vec::new();
            for field in group {
                if !distinct.iter().all(|other| self.can_merge(other, field)) {
                    let message =
                        format!("The fields under the key \"{key}\" differ: give one of them another alias.");
                    return Err(Error::invalid(message));
                }
                if distinct.iter().all(|other| other.0 != field.0) {
                    distinct.push(field);
                }
            }
            let (mut inside, mut spreads) = (Fields::new(), IndexMap::<_, HashSet<_>>::new());
            for (parents, field) in group {
                let mut parents = parents.clone();
                let ty = parents.last().and_then(|parent| self.schema.field(parent, &field.name.node));
                parents.push(ty.map_or("", |ty| named_type(&ty.ty)));
                let spread = spreads.entry(parents.clone()).or_default();
                self.collect(&field.selection_set.node, &parents, spread, &mut inside);
            }
            self.check_fields(&inside)?;
        }
        Ok(())
    }

    /// Whether two fields can have one key: they have the same shape, and are either the same field with the
    /// same arguments or fields of different object types, of which a value has only one.
    fn can_merge(
        &self,
        (parents, field): &(Vec<&str>, &Field),
        (others, other): &(Vec<&str>, &Field),
    ) -> bool {
        let are_exclusive = parents.iter().zip(others).any(|(parent, other)| {
            parent != other && self.schema.is_object(parent) && self.schema.is_object(other)
        });
        let same_shape = match (self.type_of(parents, field), self.type_of(others, other)) {
            (Some(ty), Some(other)) => self.same_shape(&ty, &other),
            // Validation by async-graphql reports unknown fields.
            _ => true,
        };
        same_shape && (are_exclusive || (field.name.node == other.name.node && same_arguments(field, other)))
    }

    fn type_of(&self, parents: &[&str], field: &Field) -> Option<Type> {
        if field.name.node == "__typename" {
            return Type::new("String!");
        }
        Some(self.schema.field(parents.last()?, &field.name.node)?.ty.clone())
    }

    fn same_shape(&self, ty: &Type, other: &Type) -> bool {
        ty.nullable == other.nullable
            && match (&ty.base, &other.base) {
                (BaseType::List(ty), BaseType::List(other)) => self.same_shape(ty, other),
                (BaseType::Named(ty), BaseType::Named(other)) => {
                    let composite = |name| matches!(self.schema.get(name), Some(TypeDef::Composite { .. }));
                    ty == other || (composite(ty) && composite(other))
                }
                _ => false,
            }
    }
}

/// Whether the arguments are the same, in any order.
fn same_arguments(field: &Field, other: &Field) -> bool {
    let value = |field: &Field, name: &Name| field.get_argument(name).map(|value| value.node.clone());
    field.arguments.len() == other.arguments.len()
        && field.arguments.iter().all(|(name, _)| value(field, &name.node) == value(other, &name.node))
}
