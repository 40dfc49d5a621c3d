//! The guard of one schema: it runs the checks of the other files with the schema, the policy and the limits.

use async_graphql_parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql_value::{ConstValue as Value, Name, Variables};

use crate::schema::SchemaIndex;
use crate::{
    Error, Limits, Policy, check_values, limits, normalize, overlapping_fields, precheck, rewrite,
    subscription, unvalidated,
};

/// Checks documents and values against one schema, its policy and limits.
#[derive(Debug)]
pub struct Guard {
    schema: SchemaIndex,
    policy: Policy,
    limits: Limits,
}

impl Guard {
    /// A guard for the schema in SDL. Panics when the SDL is not valid.
    pub fn new(sdl: &str, policy: Policy, limits: Limits) -> Self {
        Self { schema: SchemaIndex::from_sdl(sdl), policy, limits }
    }

    /// The limits that documents are checked against.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Parses a document and checks the limits that do not depend on variables.
    ///
    /// Errors: [`Error::LimitExceeded`], or [`Error::Invalid`] for a syntax error.
    pub fn parse(&self, query: &str) -> Result<ExecutableDocument, Error> {
        precheck::check(query, &self.limits)?;
        let document = async_graphql_parser::parse_query(normalize::normalize(query))
            .map_err(|error| Error::syntax(&error))?;
        limits::check(&document, &self.schema, &self.policy, &self.limits)?;
        Ok(document)
    }

    /// Checks the limits that depend on variables: the complexity, since variables can set page sizes, and
    /// the total size of all uses of variables. Returns the complexity.
    pub fn check_variables(
        &self,
        document: &ExecutableDocument,
        variables: &Variables,
    ) -> Result<usize, Error> {
        limits::check_variables(document, variables, &self.schema, &self.policy, &self.limits)
    }

    /// Whether the complexity of the document depends on its variables.
    pub fn cost_depends_on_variables(&self, document: &ExecutableDocument) -> bool {
        limits::cost_depends_on_variables(document, &self.policy)
    }

    /// Validates the parts of a parsed document that async-graphql does not validate, and rewrites the parts
    /// that it would execute differently from the specification. `query` is the text of the document.
    ///
    /// Errors: [`Error::Invalid`].
    pub fn prepare(&self, document: &mut ExecutableDocument, query: &str) -> Result<(), Error> {
        if let Some(name) = precheck::duplicate_object_field(query) {
            return Err(Error::invalid(format!("An object has the field \"{name}\" twice.")));
        }
        unvalidated::check(document, &self.schema)?;
        for (_, operation) in document.operations.iter() {
            overlapping_fields::check(document, &operation.node, &self.schema)?;
        }
        rewrite::wrap_typename_directives(document);
        Ok(())
    }

    /// Checks that a subscription selects exactly one field, unconditionally (GraphQL specification, 5.2.4.1).
    ///
    /// Errors: [`Error::Invalid`].
    pub fn check_subscription(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
    ) -> Result<(), Error> {
        subscription::check(document, operation, &self.schema)
    }

    /// Checks the values in an operation and in its variables against the types of the schema. Returns the
    /// default values of the variables that were left out.
    ///
    /// Errors: one [`Error::Values`] with every invalid value, or an [`Error::Invalid`] for each variable
    /// whose type does not fit where it is used.
    pub fn check_values(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Result<Vec<(Name, Value)>, Vec<Error>> {
        check_values::check(document, operation, variables, &self.schema, &self.policy)
    }
}
