//! The limits that a parsed document is held to, in time linear in its length.

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{
    Directive, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql_value::{Value as Literal, Variables};

use crate::cost::{Cost, json_bytes};
use crate::error::LimitExceeded;
use crate::operation::root_fields;
use crate::policy::ExclusiveFields;
use crate::{Error, Guard, Policy};

pub const MAX_SELECTIONS: usize = 1_000;
pub const MAX_DIRECTIVES: usize = 3;
pub const MAX_FRAGMENTS: usize = 20;
pub const MAX_OPERATIONS: usize = 5;
const MAX_VISITED_FRAGMENTS: usize = 500;
/// Shorter variables, in bytes, take little memory however often they are used.
const LONG_VARIABLES_BYTES: usize = 1 << 10;
/// Lists of lists of an introspection, such as the fields of the types of the fields.
const MAX_INTROSPECTION_LISTS: usize = 3;

/// What a document may ask for at most.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub request_bytes: usize,
    /// Bytes of a document.
    pub query_bytes: usize,
    /// Brackets of any kind inside each other, counted on the bytes.
    pub nesting: usize,
    /// Lexical tokens.
    pub tokens: usize,
    /// Fields inside each other; a root field is 1.
    pub depth: usize,
    /// See [`document`].
    pub complexity: usize,
    /// Aliases in the whole document.
    pub aliases: usize,
    /// Root fields of a query; a mutation may have half as many.
    pub root_fields: usize,
}

impl Limits {
    /// Root fields of a mutation.
    pub fn mutation_root_fields(&self) -> usize {
        self.root_fields / 2
    }
}

/// Checks every limit that a document can be over by itself, in the order in which they are documented.
pub fn check(document: &ExecutableDocument, guard: &Guard) -> Result<(), Error> {
    let limits = &guard.limits;
    // Fragments are followed one inside the other, so very many of them would need more stack than there is.
    // With the usual limit of tokens there are never so many.
    if document.fragments.len() > MAX_VISITED_FRAGMENTS {
        LimitExceeded::check("Number of fragments", document.fragments.len(), MAX_FRAGMENTS)?;
    }
    let counts = SyntaxCounts::of(document);
    let cost = Cost::of(document, &Variables::default(), guard)?;
    LimitExceeded::check("Query depth", cost.depth, limits.depth)?;
    LimitExceeded::check("Introspection depth", cost.introspection_lists, MAX_INTROSPECTION_LISTS)?;
    LimitExceeded::check("Number of selections", cost.selections, MAX_SELECTIONS)?;
    LimitExceeded::check("Number of aliases", counts.aliases, limits.aliases)?;
    for (_, operation) in document.operations.iter() {
        check_root_fields(document, &operation.node, guard)?;
    }
    LimitExceeded::check("Number of directives in one place", counts.directives, MAX_DIRECTIVES)?;
    LimitExceeded::check("Number of fragments", document.fragments.len(), MAX_FRAGMENTS)?;
    Ok(LimitExceeded::check("Number of operations", document.operations.iter().count(), MAX_OPERATIONS)?)
}

/// Checks what depends on the variables: the complexity, since variables can set page sizes, and the total size
/// of all uses of variables. Returns the complexity.
pub fn check_variables(
    document: &ExecutableDocument,
    variables: &Variables,
    guard: &Guard,
) -> Result<usize, Error> {
    let limits = &guard.limits;
    let cost = Cost::of(document, variables, guard)?;
    LimitExceeded::check("Query complexity", cost.complexity, limits.complexity)?;
    LimitExceeded::check(
        "Size of all uses of variables in bytes",
        cost.variable_use_bytes,
        limits.request_bytes,
    )?;
    Ok(cost.complexity)
}

/// Whether variables are so long that it matters how often they are used.
pub fn has_long_variables(variables: &Variables) -> bool {
    variables.values().map(json_bytes).sum::<usize>() > LONG_VARIABLES_BYTES
}

/// Whether the complexity depends on variables.
pub fn cost_depends_on_variables(document: &ExecutableDocument, policy: &Policy) -> bool {
    fn depends(set: &SelectionSet, policy: &Policy) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => {
                let mut costly = field.node.arguments.iter().filter(|(name, _)| policy.is_costly(&name.node));
                costly.any(|(_, value)| has_variable(&value.node))
                    || depends(&field.node.selection_set.node, policy)
            }
            Selection::InlineFragment(inline) => depends(&inline.node.selection_set.node, policy),
            Selection::FragmentSpread(_) => false,
        })
    }
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).any(|set| depends(set, policy))
}

fn has_variable(value: &Literal) -> bool {
    match value {
        Literal::Variable(_) => true,
        Literal::List(items) => items.iter().any(has_variable),
        Literal::Object(fields) => fields.values().any(has_variable),
        _ => false,
    }
}

fn check_root_fields(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    Guard { limits, policy, .. }: &Guard,
) -> Result<(), Error> {
    let fields = root_fields(document, operation);
    let limit = match operation.ty {
        OperationType::Mutation => limits.mutation_root_fields(),
        _ => limits.root_fields,
    };
    LimitExceeded::check("Number of root fields", fields.len(), limit)?;
    let ExclusiveFields { names, quantity } = policy.exclusive;
    let exclusive = fields.iter().filter(|field| names.contains(&field.name.node.as_str()));
    Ok(LimitExceeded::check(quantity, exclusive.count(), 1)?)
}

/// What is counted on the text, without regard to how often a fragment is used.
#[derive(Default)]
struct SyntaxCounts {
    aliases: usize,
    /// The most directives in one place.
    directives: usize,
}

impl SyntaxCounts {
    fn of(document: &ExecutableDocument) -> Self {
        let mut counts = Self::default();
        for (_, operation) in document.operations.iter() {
            counts.count_directives(&operation.node.directives);
            for definition in &operation.node.variable_definitions {
                counts.count_directives(&definition.node.directives);
            }
            counts.selection_set(&operation.node.selection_set.node);
        }
        for fragment in document.fragments.values() {
            counts.count_directives(&fragment.node.directives);
            counts.selection_set(&fragment.node.selection_set.node);
        }
        counts
    }

    fn selection_set(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            self.count_directives(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.selection_set(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => self.selection_set(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn count_directives(&mut self, directives: &[Positioned<Directive>]) {
        self.directives = self.directives.max(directives.len());
    }
}
