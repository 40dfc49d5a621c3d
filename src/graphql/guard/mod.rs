//! The guard: every document passes here before the library sees it, whichever way it came in. The
//! library's parser can be made to overflow the stack and its validator to run for ever; what is let
//! through costs little, whatever it says.

mod cost;
mod document;
mod error;
mod lexer;
mod merge;
mod numbers;
mod rewrite;
mod scan;
mod spelling;
mod types;
mod unseen;
mod values;

use async_graphql::parser::types::ExecutableDocument;

pub use document::{
    MAX_DIRECTIVES, MAX_FRAGMENTS, MAX_OPERATIONS, MAX_SELECTIONS, are_long, check_variables, cost_varies,
    operation, root_fields,
};
pub use error::{Error, LimitExceeded, PathSegment, Rule, ValueError};
pub use numbers::make_whole;
pub use rewrite::merge_roots;
pub use scan::scan_json;
use types::Definition;
pub use types::Types;
pub use values::check as check_values;

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
/// Errors in one response.
pub const MAX_ERRORS: usize = 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 1 << 20,
            query_bytes: 16 << 10,
            nesting: 32,
            tokens: 2_000,
            depth: 10,
            complexity: 5_000,
            aliases: 20,
            root_fields: 10,
        }
    }
}

impl Limits {
    /// Root fields of a mutation.
    pub fn mutation_root_fields(&self) -> usize {
        self.root_fields / 2
    }
}

/// Reads a document that is within the limits that hold whatever its variables are.
pub fn read(query: &str, types: &Types, limits: &Limits) -> Result<ExecutableDocument, Error> {
    scan::check(query, limits)?;
    let document = async_graphql::parser::parse_query(spelling::spelled_out(query))
        .map_err(|error| Error::syntax(&error))?;
    document::check(&document, types, limits)?;
    Ok(document)
}

/// Finds what the library's validation does not look at in a document within the limits, and writes it in
/// words that the library does right.
pub fn prepare(document: &mut ExecutableDocument, query: &str, types: &Types) -> Result<(), Error> {
    if let Some(name) = scan::repeated_field(query) {
        let message = format!("An object has the field \"{name}\" twice.");
        return Err(Error::invalid(message));
    }
    unseen::check(document, types)?;
    for (_, operation) in document.operations.iter() {
        merge::check(document, &operation.node, types)?;
    }
    rewrite::wrap_typenames(document);
    rewrite::hide_description(document);
    Ok(())
}
