//! The limits of a document, and the check of a parsed document against them. The check takes time linear in
//! the length of the document.

use async_graphql_parser::Positioned;
use async_graphql_parser::types::{
    Directive, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql_value::{Value as Literal, Variables};

use crate::cost::{Cost, json_bytes};
use crate::error::LimitExceeded;
use crate::operation::root_fields;
use crate::policy::ExclusiveFields;
use crate::schema::SchemaIndex;
use crate::{Error, Policy};

/// The maximum number of selections of a document. A fragment counts at every spread.
pub const MAX_SELECTIONS: usize = 1_000;
/// The maximum number of directives on one selection or definition.
pub const MAX_DIRECTIVES: usize = 3;
/// Fragment definitions of a document.
pub const MAX_FRAGMENTS: usize = 20;
/// Operations of a document.
pub const MAX_OPERATIONS: usize = 5;
/// Fragment definitions that are visited recursively without exhausting the stack.
const MAX_VISITED_FRAGMENTS: usize = 500;
/// Variables up to this total size take little memory, however often they are used.
const LONG_VARIABLES_BYTES: usize = 1 << 10;
/// Lists inside each other in an introspection, such as the fields of the types of the fields.
const MAX_INTROSPECTION_LISTS: usize = 3;

/// The configurable limits of a request.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of the body of a request.
    pub request_bytes: usize,
    /// Bytes of a document.
    pub query_bytes: usize,
    /// Brackets of any kind inside each other.
    pub nesting: usize,
    /// Lexical tokens.
    pub tokens: usize,
    /// Fields inside each other; a root field has depth 1.
    pub depth: usize,
    /// Complexity, as the module `cost` defines it.
    pub complexity: usize,
    /// Aliases in the whole document.
    pub aliases: usize,
    /// Root fields of a query; a mutation may have half as many.
    pub root_fields: usize,
}

impl Limits {
    /// The limit for root fields of a mutation.
    pub fn mutation_root_fields(&self) -> usize {
        self.root_fields / 2
    }
}

/// Checks every limit that does not depend on variables, in the order of the documentation.
pub fn check(
    document: &ExecutableDocument,
    schema: &SchemaIndex,
    policy: &Policy,
    limits: &Limits,
) -> Result<(), Error> {
    // The visitors below recurse from fragment to fragment, so thousands of fragments would overflow the
    // stack. The default limit of tokens allows fewer than this.
    if document.fragments.len() > MAX_VISITED_FRAGMENTS {
        LimitExceeded::check("Number of fragments", document.fragments.len(), MAX_FRAGMENTS)?;
    }
    let counts = SyntaxCounts::of(document);
    let cost = Cost::of(document, &Variables::default(), schema, policy)?;
    LimitExceeded::check("Query depth", cost.depth, limits.depth)?;
    LimitExceeded::check("Introspection depth", cost.introspection_lists, MAX_INTROSPECTION_LISTS)?;
    LimitExceeded::check("Number of selections", cost.selections, MAX_SELECTIONS)?;
    LimitExceeded::check("Number of aliases", counts.aliases, limits.aliases)?;
    for (_, operation) in document.operations.iter() {
        check_root_fields(document, &operation.node, policy, limits)?;
    }
    LimitExceeded::check("Number of directives in one place", counts.directives, MAX_DIRECTIVES)?;
    LimitExceeded::check("Number of fragments", document.fragments.len(), MAX_FRAGMENTS)?;
    Ok(LimitExceeded::check("Number of operations", document.operations.iter().count(), MAX_OPERATIONS)?)
}

/// Checks the limits that depend on variables. Returns the complexity.
pub fn check_variables(
    document: &ExecutableDocument,
    variables: &Variables,
    schema: &SchemaIndex,
    policy: &Policy,
    limits: &Limits,
) -> Result<usize, Error> {
    let cost = Cost::of(document, variables, schema, policy)?;
    LimitExceeded::check("Query complexity", cost.complexity, limits.complexity)?;
    LimitExceeded::check(
        "Size of all uses of variables in bytes",
        cost.variable_use_bytes,
        limits.request_bytes,
    )?;
    Ok(cost.complexity)
}

/// Whether the variables are so long that the number of their uses matters.
pub fn has_long_variables(variables: &Variables) -> bool {
    variables.values().map(json_bytes).sum::<usize>() > LONG_VARIABLES_BYTES
}

/// Whether the complexity depends on variables: an argument that affects it contains one.
pub fn cost_depends_on_variables(document: &ExecutableDocument, policy: &Policy) -> bool {
    fn depends(set: &SelectionSet, policy: &Policy) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => {
                let mut relevant =
                    field.node.arguments.iter().filter(|(name, _)| policy.affects_complexity(&name.node));
                relevant.any(|(_, value)| has_variable(&value.node))
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
    policy: &Policy,
    limits: &Limits,
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

/// Counts of syntax in a document; each fragment counts once.
#[derive(Default)]
struct SyntaxCounts {
    aliases: usize,
    /// The most directives on one selection or definition.
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
