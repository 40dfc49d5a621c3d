//! The only room that knows async-graphql: the schema's roots, nodes and inputs, the codes of errors,
//! the guard that documents pass, and [`Executor`], through which an operation comes in.

pub mod direct_json;
mod document_cache;
pub mod error;
mod error_limit;
pub mod executor;
pub mod guard;
mod persisted_documents;
pub mod response_budget;

use crate::api;
use async_graphql::{EmptySubscription, SDLExportOptions, Schema, SchemaBuilder};

pub use direct_json::write::JsonChunks;
pub use error::{ErrorCode, code_name, panic_error, request_error, response_memory_error};
pub use executor::{Disposition, Execution, Executor, GraphqlRequest, OperationSummary};
pub use persisted_documents::{PersistedDocuments, TrustedDocuments};
pub use response_budget::{CountedBytes, ResponseShare, UNCOUNTED_BYTES};

fn builder() -> SchemaBuilder<api::QueryRoot, api::Mutation, EmptySubscription> {
    Schema::build(api::QueryRoot(api::Query), api::Mutation::default(), EmptySubscription)
}

/// The public schema in SDL, as schema.graphql holds it.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by();
    builder().finish().sdl_with_options(options)
}
