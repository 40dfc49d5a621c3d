//! What a parsed document asks for, measured in time linear in its length: fragments are counted once
//! each and remembered, never expanded.
//!
//! Complexity: a field is 1; a connection is 1 and its page size times its children; a list without
//! pages is 1 and ten times its children, `nodes` 1 and its ids times its children. Introspection counts as
//! selections only, and may not go round in circles.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
    OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, ServerError, Value, Variables};

use crate::graphql::error::{ErrorCode, request_error};
use crate::graphql::guard::types::{innermost, is_list};
use crate::graphql::guard::{Excess, Limits, Types, merge};

pub const MAX_SELECTIONS: usize = 1_000;
pub const MAX_DIRECTIVES: usize = 3;
pub const MAX_FRAGMENTS: usize = 20;
pub const MAX_OPERATIONS: usize = 5;
/// Lists of lists of an introspection, such as the fields of the types of the fields.
const MAX_INTROSPECTION_LISTS: usize = 3;
const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 100;
const UNPAGED_LIST: usize = 10;
/// Fields that check or set a password: one a request, so that a request costs one hash.
const CREDENTIAL_FIELDS: [&str; 4] = ["register", "login", "refreshToken", "changePassword"];

/// Checks every limit that a document can be over by itself.
pub fn check(document: &ExecutableDocument, types: &Types, limits: &Limits) -> Result<(), ServerError> {
    Excess::check("Number of operations", document.operations.iter().count(), MAX_OPERATIONS)?;
    Excess::check("Number of fragments", document.fragments.len(), MAX_FRAGMENTS)?;
    let marks = Marks::of(document);
    Excess::check("Number of aliases", marks.aliases, limits.aliases)?;
    Excess::check("Number of directives in one place", marks.directives, MAX_DIRECTIVES)?;
    if marks.has_busy_typename {
        let message = "__typename has neither arguments nor fields.";
        return Err(request_error(ErrorCode::BadRequest, message));
    }
    let cost = Cost::of(document, &Variables::default(), types)?;
    Excess::check("Number of selections", cost.selections, MAX_SELECTIONS)?;
    Excess::check("Query depth", cost.depth, limits.depth)?;
    Excess::check("Introspection depth", cost.introspection_lists, MAX_INTROSPECTION_LISTS)?;
    for (_, operation) in document.operations.iter() {
        check_root(document, &operation.node, types, limits)?;
    }
    Ok(())
}

/// Checks the complexity, which depends on the variables: they can say how large a page is.
pub fn check_complexity(
    document: &ExecutableDocument,
    variables: &Variables,
    types: &Types,
    limits: &Limits,
) -> Result<(), ServerError> {
    let cost = Cost::of(document, variables, types)?;
    Ok(Excess::check("Query complexity", cost.complexity, limits.complexity)?)
}

/// Whether the complexity depends on variables.
pub fn cost_varies(document: &ExecutableDocument) -> bool {
    use async_graphql_value::Value as Argument;
    fn varies(set: &SelectionSet) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => {
                let sizes = ["first", "last", "ids"].iter().filter_map(|name| field.node.get_argument(name));
                sizes.into_iter().any(|size| matches!(size.node, Argument::Variable(_)))
                    || varies(&field.node.selection_set.node)
            }
            Selection::InlineFragment(inline) => varies(&inline.node.selection_set.node),
            Selection::FragmentSpread(_) => false,
        })
    }
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).any(varies)
}

fn check_root(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    types: &Types,
    limits: &Limits,
) -> Result<(), ServerError> {
    let fields = root_fields(document, operation);
    let bound = match operation.ty {
        OperationType::Mutation => limits.mutation_root_fields(),
        _ => limits.root_fields,
    };
    Excess::check("Number of root fields", fields.len(), bound)?;
    let credentials = fields.iter().filter(|field| CREDENTIAL_FIELDS.contains(&field.name.node.as_str()));
    Excess::check("Number of sign-in fields", credentials.count(), 1)?;
    merge::check(document, operation, types)
}

/// The operation that a request means: the one named, or the only one.
pub fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(&operation.node),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name).map(|operation| &operation.node),
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => {
            all.values().next().map(|operation| &operation.node)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

/// The same, to be changed.
pub fn operation_mut<'a>(
    document: &'a mut ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a mut OperationDefinition> {
    match (&mut document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&mut operation.node),
        (DocumentOperations::Multiple(all), Some(name)) => all.get_mut(name).map(|each| &mut each.node),
        (DocumentOperations::Multiple(all), None) => all.values_mut().next().map(|each| &mut each.node),
    }
}

/// The root fields of an operation, those in fragments too. The number of selections must have been
/// checked: here fragments are expanded.
pub fn root_fields<'a>(
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
) -> Vec<&'a Field> {
    fn collect<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, fields: &mut Vec<&'a Field>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => fields.push(&field.node),
                Selection::InlineFragment(inline) => {
                    collect(document, &inline.node.selection_set.node, fields);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        collect(document, &fragment.node.selection_set.node, fields);
                    }
                }
            }
        }
    }
    let mut fields = Vec::new();
    collect(document, &operation.selection_set.node, &mut fields);
    fields
}

pub fn root_type(ty: OperationType) -> &'static str {
    match ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

/// What is counted on the text, without regard to how often a fragment is used.
#[derive(Default)]
struct Marks {
    aliases: usize,
    /// The most directives in one place.
    directives: usize,
    /// Whether more than its directives stands at a `__typename`, which the library does not look at.
    has_busy_typename: bool,
}

impl Marks {
    fn of(document: &ExecutableDocument) -> Self {
        let mut marks = Self::default();
        for (_, operation) in document.operations.iter() {
            marks.place(&operation.node.directives);
            for definition in &operation.node.variable_definitions {
                marks.place(&definition.node.directives);
            }
            marks.set(&operation.node.selection_set.node);
        }
        for fragment in document.fragments.values() {
            marks.place(&fragment.node.directives);
            marks.set(&fragment.node.selection_set.node);
        }
        marks
    }

    fn set(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            self.place(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    let is_bare =
                        field.node.arguments.is_empty() && field.node.selection_set.node.items.is_empty();
                    self.has_busy_typename |= field.node.name.node == "__typename" && !is_bare;
                    self.set(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn place(&mut self, directives: &[Positioned<Directive>]) {
        self.directives = self.directives.max(directives.len());
    }
}

/// What a set of selections asks for. All arithmetic saturates.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    selections: usize,
    depth: usize,
    complexity: usize,
    introspection_lists: usize,
}

impl Cost {
    /// What all operations and fragments ask for together.
    fn of(document: &ExecutableDocument, variables: &Variables, types: &Types) -> Result<Self, ServerError> {
        let mut measure = Measure { document, variables, types, known: HashMap::new() };
        let mut total = Self::default();
        for (_, operation) in document.operations.iter() {
            let root = root_type(operation.node.ty);
            total = total.beside(measure.set(&operation.node.selection_set.node, root)?);
        }
        for (name, fragment) in &document.fragments {
            total = total.or(measure.fragment(name, fragment)?);
        }
        Ok(total)
    }

    /// Both, one beside the other.
    fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            complexity: self.complexity.saturating_add(other.complexity),
            ..self.or(other)
        }
    }

    /// The larger in each respect.
    fn or(self, other: Self) -> Self {
        Self {
            selections: self.selections.max(other.selections),
            depth: self.depth.max(other.depth),
            complexity: self.complexity.max(other.complexity),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
        }
    }

    /// The same inside one more selection.
    fn inside(self) -> Self {
        Self { selections: self.selections.saturating_add(1), ..self }
    }
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    types: &'a Types,
    /// The cost of each fragment that has been met; None while it is being measured.
    known: HashMap<&'a Name, Option<Cost>>,
}

impl<'a> Measure<'a> {
    fn set(&mut self, set: &'a SelectionSet, parent: &str) -> Result<Cost, ServerError> {
        let mut total = Cost::default();
        for selection in &set.items {
            let cost = match &selection.node {
                Selection::Field(field) => self.field(&field.node, parent)?,
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| condition.node.on.node.as_str());
                    self.set(&inline.node.selection_set.node, parent)?
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    match self.document.fragments.get_key_value(name) {
                        Some((name, fragment)) => self.fragment(name, fragment)?,
                        // The library says that it is unknown.
                        None => Cost::default(),
                    }
                }
            };
            total = total.beside(cost.inside());
        }
        Ok(total)
    }

    fn fragment(
        &mut self,
        name: &'a Name,
        fragment: &'a Positioned<FragmentDefinition>,
    ) -> Result<Cost, ServerError> {
        match self.known.get(name) {
            Some(Some(cost)) => Ok(*cost),
            Some(None) => {
                let message = format!("The fragment \"{name}\" contains itself.");
                Err(request_error(ErrorCode::BadRequest, message))
            }
            None => {
                self.known.insert(name, None);
                let parent = fragment.node.type_condition.node.on.node.as_str();
                let cost = self.set(&fragment.node.selection_set.node, parent)?;
                self.known.insert(name, Some(cost));
                Ok(cost)
            }
        }
    }

    fn field(&mut self, field: &'a Field, parent: &str) -> Result<Cost, ServerError> {
        let name = field.name.node.as_str();
        if parent.starts_with("__") || matches!(name, "__schema" | "__type") {
            return self.introspection(field, name);
        }
        let ty = self.types.field(parent, name).map(|field| &field.ty);
        let child = ty.map_or("", |ty| innermost(ty).as_str());
        let children = self.set(&field.selection_set.node, child)?;
        let times = match ty {
            _ if child.ends_with("Connection") => self.page_size(field),
            // As many as are asked for.
            Some(_) if name == "nodes" && parent == "Query" => self.ids(field),
            Some(ty) if is_list(ty) && !parent.ends_with("Connection") => UNPAGED_LIST,
            _ => 1,
        };
        Ok(Cost {
            depth: children.depth.saturating_add(1),
            complexity: children.complexity.saturating_mul(times).saturating_add(1),
            ..children
        })
    }

    fn introspection(&mut self, field: &'a Field, name: &str) -> Result<Cost, ServerError> {
        let children = self.set(&field.selection_set.node, "__Type")?;
        let is_list = matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
        Ok(Cost {
            introspection_lists: children.introspection_lists.saturating_add(is_list.into()),
            ..children
        })
    }

    /// How many ids a field is given; a value that is no list stands for one. More than there may be are
    /// refused later.
    fn ids(&self, field: &Field) -> usize {
        use async_graphql_value::Value as Argument;
        match field.get_argument("ids").map(|argument| &argument.node) {
            Some(Argument::List(ids)) => ids.len().min(MAX_PAGE),
            Some(Argument::Variable(name)) => match self.variables.get(name) {
                Some(Value::List(ids)) => ids.len().min(MAX_PAGE),
                Some(_) => 1,
                None => MAX_PAGE,
            },
            _ => 1,
        }
    }

    /// How many items a connection gives at most. A size that is out of bounds is refused later.
    fn page_size(&self, field: &Field) -> usize {
        use async_graphql_value::Value as Argument;
        let size = |name| match field.get_argument(name).map(|argument| &argument.node) {
            Some(Argument::Number(size)) => size.as_u64(),
            Some(Argument::Variable(name)) => match self.variables.get(name) {
                Some(Value::Number(size)) => size.as_u64(),
                // A default counts like the largest page: it is seldom used, and never worth a search.
                _ => Some(MAX_PAGE as u64),
            },
            _ => None,
        };
        let size = size("first").or_else(|| size("last")).unwrap_or(DEFAULT_PAGE as u64);
        size.min(MAX_PAGE as u64) as usize
    }
}
