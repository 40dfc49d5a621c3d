//! The values that an operation is given, in its text and in its variables, held against the types of
//! their places (GraphQL specification, 5.6, 5.8.5 and 6.1.2): every fault is told at once, each with its
//! place in the arguments, and none reaches a resolver. The library looks neither at an argument that
//! holds a variable which was left out, nor at the types of variables in their places.

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
use crate::schema::{Definition, Input, Inputs, innermost};
use crate::{Error, Guard, Policy, Types};

/// Objects in a list. What takes lists has lower bounds of its own; this one is for the time that it takes
/// to get there.
const MAX_LIST: usize = 10_000;

/// Checks the values of an operation. Gives the defaults that stand for the variables left out.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    guard: &Guard,
) -> Result<Vec<(Name, Value)>, Vec<Error>> {
    let definitions = || operation.variable_definitions.iter().map(|definition| &definition.node);
    let mut check = Check {
        document,
        variables,
        types: &guard.types,
        policy: &guard.policy,
        definitions: definitions().map(|definition| (&definition.name.node, definition)).collect(),
        fragments: HashSet::new(),
        met: HashSet::new(),
        defaults: Vec::new(),
        misplaced: Vec::new(),
    };
    let mut faults = ValueErrors::new(guard.policy.max_value_errors);
    check.directives(&operation.directives, &mut faults);
    check.set(&operation.selection_set.node, root_type(operation.ty), &mut faults);
    for definition in definitions() {
        faults.within(definition.name.node.as_str(), |faults| check.given(definition, faults));
    }
    let faults = faults.into_found();
    if !check.misplaced.is_empty() {
        Err(check.misplaced)
    } else if !faults.is_empty() {
        Err(vec![Error::Values(faults)])
    } else {
        Ok(check.defaults)
    }
}

/// What a value is held against.
#[derive(Clone, Copy)]
struct Place<'a> {
    ty: &'a Type,
    /// What stands there when nothing is given.
    default: Option<&'a Value>,
    /// Whether the value came as JSON, where a string stands for a value of an enum.
    json: bool,
}

impl<'a> Place<'a> {
    fn of(input: &'a Input, json: bool) -> Self {
        Self { ty: &input.ty, default: input.default.as_ref(), json }
    }

    /// Whether a variable may stand here (5.8.5).
    fn admits(self, definition: &VariableDefinition) -> bool {
        let never_null = self.default.is_some()
            || definition.default_value.as_ref().is_some_and(|default| default.node != Value::Null);
        let ty = &definition.var_type.node;
        (self.ty.nullable || !ty.nullable || never_null) && fits(&ty.base, &self.ty.base)
    }
}

/// Whether every value of one type is a value of the other, null at the top apart.
fn fits(ty: &BaseType, place: &BaseType) -> bool {
    match (ty, place) {
        (BaseType::Named(ty), BaseType::Named(place)) => ty == place,
        (BaseType::List(ty), BaseType::List(place)) => {
            (place.nullable || !ty.nullable) && fits(&ty.base, &place.base)
        }
        _ => false,
    }
}

struct Check<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    types: &'a Types,
    policy: &'a Policy,
    definitions: HashMap<&'a Name, &'a VariableDefinition>,
    /// Fragments that have been walked through: once is enough.
    fragments: HashSet<&'a Name>,
    /// Variables that have been checked, in the place where they are used first.
    met: HashSet<&'a Name>,
    defaults: Vec<(Name, Value)>,
    misplaced: Vec<Error>,
}

impl<'a> Check<'a> {
    fn set(&mut self, set: &'a SelectionSet, parent: &str, faults: &mut ValueErrors) {
        for selection in &set.items {
            self.directives(selection.node.directives(), faults);
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let known = self.types.field(parent, &field.name.node);
                    if let Some(known) = known {
                        self.arguments(&field.arguments, &known.arguments, faults);
                    }
                    let child = known.map_or("", |known| innermost(&known.ty));
                    self.set(&field.selection_set.node, child, faults);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| &condition.node.on.node);
                    self.set(&inline.node.selection_set.node, parent, faults);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.fragments.insert(name)
                    {
                        let parent = &fragment.node.type_condition.node.on.node;
                        self.directives(&fragment.node.directives, faults);
                        self.set(&fragment.node.selection_set.node, parent, faults);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>], faults: &mut ValueErrors) {
        for directive in directives {
            if let Some(known) = self.types.directive(&directive.node.name.node) {
                self.arguments(&directive.node.arguments, known, faults);
            }
        }
    }

    fn arguments(
        &mut self,
        given: &'a [(Positioned<Name>, Positioned<Literal>)],
        known: &'a Inputs,
        faults: &mut ValueErrors,
    ) {
        for (name, value) in given {
            // The library says of the others that they are unknown.
            let Some(input) = known.get(&name.node) else { continue };
            let place = Place::of(input, false);
            faults.within(name.node.as_str(), |faults| self.value(&value.node, place, faults));
            // The library takes a variable that was left out for a value, and not for a missing one.
            if let (Literal::Variable(name), Some(default)) = (&value.node, place.default)
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

    fn value(&mut self, value: &Literal, place: Place<'a>, faults: &mut ValueErrors) {
        if faults.is_full() {
            return;
        }
        match (value, &place.ty.base) {
            (Literal::Variable(name), _) => self.variable(name, place, faults),
            (Literal::Null, _) if place.ty.nullable => {}
            (Literal::Null, _) => faults.push(Rule::Required, "must not be null"),
            (Literal::List(items), BaseType::List(ty))
                if items.len() > MAX_LIST
                    && matches!(self.types.get(innermost(ty)), Some(Definition::Input(_))) =>
            {
                let message = format!("may have at most {MAX_LIST} items");
                faults.push(Rule::TooMany, message);
            }
            (Literal::List(items), BaseType::List(ty)) => {
                for (index, value) in items.iter().enumerate() {
                    let place = Place { ty, default: None, ..place };
                    faults.within(index, |faults| self.value(value, place, faults));
                }
            }
            // A value that is no list stands for a list of itself.
            (value, BaseType::List(ty)) => self.value(value, Place { ty, default: None, ..place }, faults),
            (value, BaseType::Named(name)) => match (value, self.types.get(name)) {
                (Literal::Object(given), Some(Definition::Input(known))) => {
                    self.object(given, known, place.json, faults);
                }
                (_, Some(Definition::Input(_))) => {
                    faults.push(Rule::Invalid, "must be an object");
                }
                (value, definition) => {
                    if let Some((rule, message)) = leaf(value, name, definition, place.json, self.policy) {
                        faults.push(rule, message);
                    }
                }
            },
        }
    }

    fn object(
        &mut self,
        given: &IndexMap<Name, Literal>,
        known: &'a Inputs,
        json: bool,
        faults: &mut ValueErrors,
    ) {
        for (name, value) in given {
            if faults.is_full() {
                return;
            }
            match known.get(name) {
                Some(input) => {
                    let place = Place::of(input, json);
                    faults.within(name.as_str(), |faults| self.value(value, place, faults));
                }
                None => faults.push_at(name, Rule::Invalid, "is not a field of this input"),
            }
        }
        for (name, input) in known {
            if !input.ty.nullable && input.default.is_none() && !given.contains_key(name) {
                faults.push_at(name, Rule::Required, "must be given");
            }
        }
    }

    /// A variable where the document uses it.
    fn variable(&mut self, name: &Name, place: Place<'a>, faults: &mut ValueErrors) {
        // The library says of one without a definition that it is unknown.
        let Some(&definition) = self.definitions.get(name) else { return };
        if !place.admits(definition) {
            let (ty, place) = (&definition.var_type.node, place.ty);
            let message = format!("The variable ${name} of type {ty} stands where {place} is expected.");
            self.misplaced.push(Error::invalid(message));
            return;
        }
        self.given(definition, faults);
        let default = definition.default_value.as_ref().map(|default| &default.node);
        let is_null = self.variables.get(name).or(default) == Some(&Value::Null);
        if is_null && !place.ty.nullable && definition.var_type.node.nullable {
            faults.push(Rule::Required, "must not be null");
        }
    }

    /// What a variable is given, or its default.
    fn given(&mut self, definition: &'a VariableDefinition, faults: &mut ValueErrors) {
        let name = &definition.name.node;
        if !self.met.insert(name) {
            return;
        }
        let place = Place { ty: &definition.var_type.node, default: None, json: false };
        let default = definition.default_value.as_ref().map(|default| &default.node);
        if let Some(default) = default {
            self.value(&default.clone().into_value(), place, faults);
        }
        match (self.variables.get(name), default) {
            (Some(value), _) => {
                self.value(&value.clone().into_value(), Place { json: true, ..place }, faults);
            }
            // The library does not know the defaults of variables where it skips or includes fields.
            (None, Some(default)) => self.defaults.push((name.clone(), default.clone())),
            (None, None) if place.ty.nullable => {}
            (None, None) => faults.push(Rule::Required, "must be given"),
        }
    }
}

/// What is wrong with a value of an enum or a scalar.
fn leaf(
    value: &Literal,
    name: &Name,
    definition: Option<&Definition>,
    json: bool,
    policy: &Policy,
) -> Option<(Rule, String)> {
    let scalar = policy.scalar(name);
    let is_good = match (name.as_str(), definition, value) {
        (_, Some(Definition::Enum(names)), Literal::Enum(value)) => names.contains(value),
        (_, Some(Definition::Enum(names)), Literal::String(value)) => {
            json && names.iter().any(|name| name == value)
        }
        (_, Some(Definition::Enum(_)), _) => false,
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
            // Not a type of the schema: validation says so.
            (None, _) => true,
        },
    };
    let example = scalar.map_or(String::new(), |scalar| format!(" like {}", scalar.example));
    (!is_good).then(|| (Rule::Invalid, format!("is not a valid {name}{example}")))
}
