//! The guard: every document passes here before the library sees it, whichever way it came in. The
//! library's parser can be made to overflow the stack and its validator to run for ever; what is let
//! through costs little, whatever it says.

mod check_values;
mod cost;
mod error;
mod json;
mod lexer;
mod limits;
mod normalize;
mod operation;
mod overlapping_fields;
mod policy;
mod precheck;
mod rewrite;
mod schema;
mod unvalidated;

use async_graphql_parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql_value::{ConstValue as Value, Name, Variables};

pub use error::{Error, LimitExceeded, PathSegment, Rule, ValueError};
pub use json::{JsonEstimate, MAX_JSON_NESTING, estimate_json, normalize_integers};
pub use limits::{Limits, MAX_DIRECTIVES, MAX_FRAGMENTS, MAX_OPERATIONS, MAX_SELECTIONS, has_long_variables};
pub use operation::{find_operation, root_fields};
pub use policy::{CountedList, ExclusiveFields, Policy, Scalar, SearchCondition};
pub use rewrite::merge_root_fields;

use crate::schema::SchemaIndex;

/// Checks documents and values against one schema, its policy and limits.
#[derive(Debug)]
pub struct Guard {
    schema: SchemaIndex,
    policy: Policy,
    limits: Limits,
}

impl Guard {
    /// A guard for a schema in SDL, which must be valid.
    pub fn new(sdl: &str, policy: Policy, limits: Limits) -> Self {
        Self { schema: SchemaIndex::from_sdl(sdl), policy, limits }
    }

    /// The bounds that documents are held to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads a document that is within the limits that hold whatever its variables are.
    pub fn parse(&self, query: &str) -> Result<ExecutableDocument, Error> {
        precheck::check(query, &self.limits)?;
        let document = async_graphql_parser::parse_query(normalize::normalize(query))
            .map_err(|error| Error::syntax(&error))?;
        limits::check(&document, self)?;
        Ok(document)
    }

    /// Checks what depends on the variables: the complexity, since variables can set page sizes, and the
    /// total size of all uses of variables. Returns the complexity.
    pub fn check_variables(
        &self,
        document: &ExecutableDocument,
        variables: &Variables,
    ) -> Result<usize, Error> {
        limits::check_variables(document, variables, self)
    }

    /// Whether the complexity depends on variables.
    pub fn cost_depends_on_variables(&self, document: &ExecutableDocument) -> bool {
        limits::cost_depends_on_variables(document, &self.policy)
    }

    /// Finds what the library's validation does not look at in a document within the limits, and writes it
    /// in words that the library does right.
    pub fn prepare(&self, document: &mut ExecutableDocument, query: &str) -> Result<(), Error> {
        if let Some(name) = precheck::duplicate_object_field(query) {
            return Err(Error::invalid(format!("An object has the field \"{name}\" twice.")));
        }
        unvalidated::check(document, &self.schema)?;
        for (_, operation) in document.operations.iter() {
            overlapping_fields::check(document, &operation.node, &self.schema)?;
        }
        rewrite::wrap_typename_directives(document);
        rewrite::hide_schema_description(document);
        Ok(())
    }

    /// Checks the values of an operation. Gives the defaults that stand for the variables left out.
    pub fn check_values(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Result<Vec<(Name, Value)>, Vec<Error>> {
        check_values::check(document, operation, variables, self)
    }
}
