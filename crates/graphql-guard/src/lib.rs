//! The guard: every document passes here before the library sees it, whichever way it came in. The
//! library's parser can be made to overflow the stack and its validator to run for ever; what is let
//! through costs little, whatever it says.

mod cost;
mod document;
mod error;
mod lexer;
mod merge;
mod numbers;
mod policy;
mod rewrite;
mod scan;
mod spelling;
mod types;
mod unseen;
mod values;

use async_graphql_parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql_value::{ConstValue as Value, Name, Variables};

pub use document::{
    MAX_DIRECTIVES, MAX_FRAGMENTS, MAX_OPERATIONS, MAX_SELECTIONS, are_long, operation, root_fields,
};
pub use error::{Error, LimitExceeded, PathSegment, Rule, ValueError};
pub use numbers::make_whole;
pub use policy::{CountedList, ExclusiveFields, Policy, Scalar, SearchCondition};
pub use rewrite::merge_roots;
pub use scan::scan_json;
use types::{Definition, Types};

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

/// JSON in a request may nest this deep.
pub const MAX_JSON_NESTING: usize = 64;

impl Limits {
    /// Root fields of a mutation.
    pub fn mutation_root_fields(&self) -> usize {
        self.root_fields / 2
    }
}

/// Checks documents and values against one schema, its policy and limits.
#[derive(Debug)]
pub struct Guard {
    types: Types,
    policy: Policy,
    limits: Limits,
}

impl Guard {
    /// A guard for a schema in SDL, which must be valid.
    pub fn new(sdl: &str, policy: Policy, limits: Limits) -> Self {
        Self { types: Types::from_sdl(sdl), policy, limits }
    }

    /// The bounds that documents are held to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads a document that is within the limits that hold whatever its variables are.
    pub fn read(&self, query: &str) -> Result<ExecutableDocument, Error> {
        scan::check(query, &self.limits)?;
        let document = async_graphql_parser::parse_query(spelling::spelled_out(query))
            .map_err(|error| Error::syntax(&error))?;
        document::check(&document, self)?;
        Ok(document)
    }

    /// Checks what depends on the variables: the complexity, since variables can set page sizes, and the
    /// total size of all uses of variables. Returns the complexity.
    pub fn check_variables(
        &self,
        document: &ExecutableDocument,
        variables: &Variables,
    ) -> Result<usize, Error> {
        document::check_variables(document, variables, self)
    }

    /// Whether the complexity depends on variables.
    pub fn cost_varies(&self, document: &ExecutableDocument) -> bool {
        document::cost_varies(document, &self.policy)
    }

    /// Finds what the library's validation does not look at in a document within the limits, and writes it
    /// in words that the library does right.
    pub fn prepare(&self, document: &mut ExecutableDocument, query: &str) -> Result<(), Error> {
        if let Some(name) = scan::repeated_field(query) {
            return Err(Error::invalid(format!("An object has the field \"{name}\" twice.")));
        }
        unseen::check(document, &self.types)?;
        for (_, operation) in document.operations.iter() {
            merge::check(document, &operation.node, &self.types)?;
        }
        rewrite::wrap_typenames(document);
        rewrite::hide_description(document);
        Ok(())
    }

    /// Checks the values of an operation. Gives the defaults that stand for the variables left out.
    pub fn check_values(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Result<Vec<(Name, Value)>, Vec<Error>> {
        values::check(document, operation, variables, self)
    }
}
