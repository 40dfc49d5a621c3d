//! Checks the values in an operation and in its variables against the types of the schema (GraphQL
//! specification, 5.6, 5.8.5 and 6.1.2). It reports all invalid values in one error, each with its path,
//! before a resolver runs. async-graphql checks neither an argument whose variable was left out, nor whether
//! the type of a variable fits where it is used.

use std::collections::{HashMap, HashSet};

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{
    BaseType, Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql_value::{ConstValue as Value, Name, Value as Literal, Variables};
use indexmap::IndexMap;

use crate::error::{Rule, ValueErrors};
use crate::operation::root_type;
use crate::schema::{Input, Inputs, SchemaIndex, TypeDef, named_type};
use crate::{Error, Policy};

/// Input objects in one list. It bounds the time of this check; resolvers have lower limits.
const MAX_INPUT_OBJECTS_IN_LIST: usize = 10_000;

/// Checks the values of an operation. Returns the default values of the variables that were left out.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    schema: &SchemaIndex,
    policy: &Policy,
) -> Result<Vec<(Name, Value)>, Vec<Error>> {
    let definitions = || operation.variable_definitions.iter().map(|definition| &definition.node);
    let mut check = ValueCheck {
        document,
        variables,
        schema,
        policy,
        definitions: definitions().map(|definition| (&definition.name.node, definition)).collect(),
        checked_fragments: HashSet::new(),
        checked_variables: HashSet::new(),
        defaults: Vec::new(),
        disallowed: Vec::new(),
    };
    let mut errors = ValueErrors::new(policy.max_value_errors);
    check.directives(&operation.directives, &mut errors);
    check.selection_set(&operation.selection_set.node, root_type(operation.ty), &mut errors);
    for definition in definitions() {
        errors.within(definition.name.node.as_str(), |errors| check.variable_value(definition, errors));
    }
    let errors = errors.into_found();
    if !check.disallowed.is_empty() {
        Err(check.disallowed)
    } else if !errors.is_empty() {
        Err(vec![Error::Values(errors)])
    } else {
        Ok(check.defaults)
    }
}

/// The argument, input field, list item or variable that a value is checked against.
#[derive(Clone, Copy)]
struct Location<'a> {
    ty: &'a Type,
    /// The default value of the location.
    default: Option<&'a Value>,
    /// Whether the value came as JSON, where values of an enum are strings.
    is_json: bool,
}

impl<'a> Location<'a> {
    fn of(input: &'a Input, is_json: bool) -> Self {
        Self { ty: &input.ty, default: input.default.as_ref(), is_json }
    }

    /// Whether a variable may be used here (`IsVariableUsageAllowed` of the specification, 5.8.5).
    fn is_usage_allowed(self, definition: &VariableDefinition) -> bool {
        let never_null = self.default.is_some()
            || definition.default_value.as_ref().is_some_and(|default| default.node != Value::Null);
        let ty = &definition.var_type.node;
        (self.ty.nullable || !ty.nullable || never_null) && is_type_compatible(&ty.base, &self.ty.base)
    }
}

/// Whether every value of a type is valid at the location, where null at the top level is checked elsewhere.
fn is_type_compatible(ty: &BaseType, location: &BaseType) -> bool {
    match (ty, location) {
        (BaseType::Named(ty), BaseType::Named(location)) => ty == location,
        (BaseType::List(ty), BaseType::List(location)) => {
            (location.nullable || !ty.nullable) && is_type_compatible(&ty.base, &location.base)
        }
        _ => false,
    }
}

struct ValueCheck<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    schema: &'a SchemaIndex,
    policy: &'a Policy,
    definitions: HashMap<&'a Name, &'a VariableDefinition>,
    /// Fragments that have been checked; each is checked once.
    checked_fragments: HashSet<&'a Name>,
    /// Variables whose values have been checked; each is checked at its first use.
    checked_variables: HashSet<&'a Name>,
    defaults: Vec<(Name, Value)>,
    disallowed: Vec<Error>,
}

impl<'a> ValueCheck<'a> {
    fn selection_set(&mut self, set: &'a SelectionSet, parent: &str, errors: &mut ValueErrors) {
        for selection in &set.items {
            self.directives(selection.node.directives(), errors);
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let known = self.schema.field(parent, &field.name.node);
                    if let Some(known) = known {
                        self.arguments(&field.arguments, &known.arguments, errors);
                    }
                    let child = known.map_or("", |known| named_type(&known.ty));
                    self.selection_set(&field.selection_set.node, child, errors);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| &condition.node.on.node);
                    self.selection_set(&inline.node.selection_set.node, parent, errors);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.checked_fragments.insert(name)
                    {
                        let parent = &fragment.node.type_condition.node.on.node;
                        self.directives(&fragment.node.directives, errors);
                        self.selection_set(&fragment.node.selection_set.node, parent, errors);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>], errors: &mut ValueErrors) {
        for directive in directives {
            if let Some(known) = self.schema.directive(&directive.node.name.node) {
                self.arguments(&directive.node.arguments, known, errors);
            }
        }
    }

    fn arguments(
        &mut self,
        given: &'a [(Positioned<Name>, Positioned<Literal>)],
        known: &'a Inputs,
        errors: &mut ValueErrors,
    ) {
        for (name, value) in given {
            // Validation by async-graphql reports unknown arguments.
            let Some(input) = known.get(&name.node) else { continue };
            let location = Location::of(input, false);
            errors.within(name.node.as_str(), |errors| self.value(&value.node, location, errors));
            // For async-graphql a variable that was left out is a value, so the default of the argument would
            // not apply.
            if let (Literal::Variable(name), Some(default)) = (&value.node, location.default)
                && self.is_left_out(name)
            {
                self.defaults.push((name.clone(), default.clone()));
            }
        }
    }

    fn is_left_out(&self, variable: &Name) -> bool {
        let definition = self.definitions.get(variable);
        !self.variables.contains_key(variable)
            && definition.is_some_and(|definition| definition.default_value.is_none())
    }

    fn value(&mut self, value: &Literal, location: Location<'a>, errors: &mut ValueErrors) {
        if errors.is_full() {
            return;
        }
        match (value, &location.ty.base) {
            (Literal::Variable(name), _) => self.variable_usage(name, location, errors),
            (Literal::Null, _) if location.ty.nullable => {}
            (Literal::Null, _) => errors.push(Rule::Required, "must not be null"),
            (Literal::List(items), BaseType::List(ty))
                if items.len() > MAX_INPUT_OBJECTS_IN_LIST
                    && matches!(self.schema.get(named_type(ty)), Some(TypeDef::Input(_))) =>
            {
                let message = format!("may have at most {MAX_INPUT_OBJECTS_IN_LIST} items");
                errors.push(Rule::TooMany, message);
            }
            (Literal::List(items), BaseType::List(ty)) => {
                for (index, value) in items.iter().enumerate() {
                    let location = Location { ty, default: None, ..location };
                    errors.within(index, |errors| self.value(value, location, errors));
                }
            }
            // A single value is coerced to a list of one item.
            (value, BaseType::List(ty)) => {
                self.value(value, Location { ty, default: None, ..location }, errors);
            }
            (value, BaseType::Named(name)) => match (value, self.schema.get(name)) {
                (Literal::Object(given), Some(TypeDef::Input(known))) => {
                    self.input_object(given, known, location.is_json, errors);
                }
                (_, Some(TypeDef::Input(_))) => {
                    errors.push(Rule::Invalid, "must be an object");
                }
                (value, definition) => {
                    if let Some((rule, message)) =
                        check_leaf(value, name, definition, location.is_json, self.policy)
                    {
                        errors.push(rule, message);
                    }
                }
            },
        }
    }

    fn input_object(
        &mut self,
        given: &IndexMap<Name, Literal>,
        known: &'a Inputs,
        is_json: bool,
        errors: &mut ValueErrors,
    ) {
        for (name, value) in given {
            if errors.is_full() {
                return;
            }
            match known.get(name) {
                Some(input) => {
                    let location = Location::of(input, is_json);
                    errors.within(name.as_str(), |errors| self.value(value, location, errors));
                }
                None => errors.push_at(name, Rule::Invalid, "is not a field of this input"),
            }
        }
        for (name, input) in known {
            if !input.ty.nullable && input.default.is_none() && !given.contains_key(name) {
                errors.push_at(name, Rule::Required, "must be given");
            }
        }
    }

    /// Checks one use of a variable.
    fn variable_usage(&mut self, name: &Name, location: Location<'a>, errors: &mut ValueErrors) {
        // Validation by async-graphql reports variables without a definition.
        let Some(&definition) = self.definitions.get(name) else { return };
        if !location.is_usage_allowed(definition) {
            let (ty, location) = (&definition.var_type.node, location.ty);
            let message = format!("The variable ${name} of type {ty} stands where {location} is expected.");
            self.disallowed.push(Error::invalid(message));
            return;
        }
        self.variable_value(definition, errors);
        let default = definition.default_value.as_ref().map(|default| &default.node);
        let is_null = self.variables.get(name).or(default) == Some(&Value::Null);
        if is_null && !location.ty.nullable && definition.var_type.node.nullable {
            errors.push(Rule::Required, "must not be null");
        }
    }

    /// Checks the value of a variable and its default.
    fn variable_value(&mut self, definition: &'a VariableDefinition, errors: &mut ValueErrors) {
        let name = &definition.name.node;
        if !self.checked_variables.insert(name) {
            return;
        }
        let location = Location { ty: &definition.var_type.node, default: None, is_json: false };
        let default = definition.default_value.as_ref().map(|default| &default.node);
        if let Some(default) = default {
            self.value(&default.clone().into_value(), location, errors);
        }
        match (self.variables.get(name), default) {
            (Some(value), _) => {
                self.value(&value.clone().into_value(), Location { is_json: true, ..location }, errors);
            }
            // async-graphql does not apply the defaults of variables in @skip and @include.
            (None, Some(default)) => self.defaults.push((name.clone(), default.clone())),
            (None, None) if location.ty.nullable => {}
            (None, None) => errors.push(Rule::Required, "must be given"),
        }
    }
}

/// The error about a value of an enum or a scalar, if it is not valid.
fn check_leaf(
    value: &Literal,
    name: &Name,
    definition: Option<&TypeDef>,
    is_json: bool,
    policy: &Policy,
) -> Option<(Rule, String)> {
    let scalar = policy.scalar(name);
    let is_valid = match (name.as_str(), definition, value) {
        (_, Some(TypeDef::Enum(names)), Literal::Enum(value)) => names.contains(value),
        (_, Some(TypeDef::Enum(names)), Literal::String(value)) => {
            is_json && names.iter().any(|name| name == value)
        }
        (_, Some(TypeDef::Enum(_)), _) => false,
        ("Int", _, Literal::Number(n)) => {
            let whole = n.as_i64().and_then(|n| i32::try_from(n).ok());
            if whole.is_none() && n.as_f64().is_some_and(|n| n.abs() > f64::from(i32::MAX)) {
                return Some((Rule::OutOfRange, "does not fit into 32 bits".to_owned()));
            }
            whole.is_some()
        }
        ("Float", _, value) => matches!(value, Literal::Number(_)),
        ("Boolean", _, value) => matches!(value, Literal::Boolean(_)),
        ("ID", _, Literal::Number(n)) => n.is_i64() || n.is_u64(),
        ("String" | "ID", _, value) => matches!(value, Literal::String(_)),
        ("Int", ..) => false,
        (_, _, value) => match (scalar, value) {
            (Some(scalar), Literal::String(text)) => (scalar.is_valid)(text),
            (Some(_), _) => false,
            // Validation by async-graphql reports unknown types.
            (None, _) => true,
        },
    };
    let example = scalar.map_or(String::new(), |scalar| format!(" like {}", scalar.example));
    (!is_valid).then(|| (Rule::Invalid, format!("is not a valid {name}{example}")))
}
