//! Coercing variables (GraphQL specification, 6.1.2): every fault, with its place in the arguments.

use async_graphql::parser::types::{BaseType, Field, OperationDefinition, Selection, SelectionSet, Type};
use async_graphql::{Name, Value, Variables};
use async_graphql_value::Value as Literal;

use crate::domain::{Faults, FieldFault, PathSegment, Problem, Rule};
use crate::graphql::guard::types::Definition;
use crate::graphql::guard::{Types, variable};
use crate::graphql::scalar::DateTime;

/// The faults of all variables of an operation.
pub fn faults(operation: &OperationDefinition, variables: &Variables, types: &Types) -> Vec<FieldFault> {
    let mut faults = Faults::default();
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let (name, ty) = (&definition.name.node, &definition.var_type.node);
        let place = place(operation, name).unwrap_or_else(|| vec![name.as_str().into()]);
        faults.inside(place, |faults| match variable(variables, name) {
            Some(value) => check(value, ty, types, faults),
            None if ty.nullable || definition.default_value.is_some() => {}
            None => faults.push("", Problem::new(Rule::Required, "must be given")),
        });
    }
    faults.into_found()
}

fn check(value: &Value, ty: &Type, types: &Types, faults: &mut Faults) {
    match (value, &ty.base) {
        (Value::Null, _) if ty.nullable => {}
        (Value::Null, _) => faults.push("", Problem::null()),
        (Value::List(items), BaseType::List(item)) => {
            for (index, value) in items.iter().enumerate() {
                faults.within(index, |faults| check(value, item, types, faults));
            }
        }
        // A value that is no list stands for a list of itself.
        (value, BaseType::List(item)) => check(value, item, types, faults),
        (value, BaseType::Named(name)) => check_named(value, name, types, faults),
    }
}

fn check_named(value: &Value, name: &Name, types: &Types, faults: &mut Faults) {
    let is_good = match (name.as_str(), types.get(name)) {
        (_, Some(Definition::Input(fields))) => {
            return match value {
                Value::Object(given) => check_object(given, fields, types, faults),
                _ => faults.push("", Problem::new(Rule::Invalid, "must be an object")),
            };
        }
        (_, Some(Definition::Enum(names))) => match value {
            Value::String(value) => names.iter().any(|name| name == value),
            Value::Enum(value) => names.contains(value),
            _ => false,
        },
        ("Int", _) => {
            matches!(value, Value::Number(n) if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()))
        }
        ("Float", _) => matches!(value, Value::Number(_)),
        ("Boolean", _) => matches!(value, Value::Boolean(_)),
        ("String", _) => matches!(value, Value::String(_)),
        ("ID", _) => {
            matches!(value, Value::String(_)) || matches!(value, Value::Number(n) if n.is_i64() || n.is_u64())
        }
        ("DateTime", _) => matches!(value, Value::String(text) if DateTime::from_text(text).is_some()),
        // Not a type of ours: validation says so.
        _ => true,
    };
    if !is_good {
        faults.push("", Problem::new(Rule::Invalid, format!("is not a valid {name}")));
    }
}

fn check_object(
    given: &indexmap::IndexMap<Name, Value>,
    fields: &std::collections::HashMap<Name, (Type, bool)>,
    types: &Types,
    faults: &mut Faults,
) {
    for (name, value) in given {
        match fields.get(name) {
            Some((ty, _)) => faults.within(name.as_str(), |faults| check(value, ty, types, faults)),
            None => faults.push(name, Problem::new(Rule::Invalid, "is not a field of this input")),
        }
    }
    let missing = |name: &Name, (ty, has_default): &(Type, bool)| {
        !ty.nullable && !has_default && !given.contains_key(name)
    };
    let mut missing: Vec<&Name> =
        fields.iter().filter(|(name, field)| missing(name, field)).map(|(name, _)| name).collect();
    missing.sort_unstable();
    for name in missing {
        faults.push(name, Problem::new(Rule::Required, "must be given"));
    }
}

/// Where in a field's arguments a variable is used first: `["input", "title"]`.
fn place(operation: &OperationDefinition, name: &Name) -> Option<Vec<PathSegment>> {
    in_set(&operation.selection_set.node, name)
}

fn in_set(set: &SelectionSet, name: &Name) -> Option<Vec<PathSegment>> {
    set.items.iter().find_map(|selection| match &selection.node {
        Selection::Field(field) => {
            in_arguments(&field.node, name).or_else(|| in_set(&field.node.selection_set.node, name))
        }
        Selection::InlineFragment(inline) => in_set(&inline.node.selection_set.node, name),
        Selection::FragmentSpread(_) => None,
    })
}

fn in_arguments(field: &Field, name: &Name) -> Option<Vec<PathSegment>> {
    field.arguments.iter().find_map(|(argument, value)| in_value(&argument.node, &value.node, name))
}

fn in_value(step: &str, value: &Literal, name: &Name) -> Option<Vec<PathSegment>> {
    let below = match value {
        Literal::Variable(used) if used == name => Some(Vec::new()),
        Literal::Object(fields) => fields.iter().find_map(|(field, value)| in_value(field, value, name)),
        _ => None,
    }?;
    Some(std::iter::once(step.into()).chain(below).collect())
}
