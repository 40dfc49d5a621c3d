//! The only room that knows async-graphql: the schema's roots, nodes and inputs, the codes of errors,
//! the guard that documents pass, and [`Endpoint`], through which an operation comes in.

mod account;
mod batch;
mod brief;
mod budget;
mod connection;
mod context;
mod documents;
mod endpoint;
mod error;
mod error_limit;
pub mod guard;
mod json;
mod mutation;
mod persisted;
mod plain;
mod prose;
mod query;
mod root;
mod scalar;
mod server_info;
mod task;
mod task_input;
mod task_list;
mod weight;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema, SchemaBuilder};

pub use budget::{AnswerShare, Held, UNCOUNTED_BYTES};
pub use endpoint::{Answer, Endpoint, Operation, OperationSummary, Stage};
pub use error::{ErrorCode, code_name, no_memory, panicked, request_error};
pub use json::Pieces;
pub use persisted::{Persisted, TrustedDocuments};

fn builder() -> SchemaBuilder<root::QueryRoot, mutation::Mutation, EmptySubscription> {
    Schema::build(root::QueryRoot(query::Query), mutation::Mutation::default(), EmptySubscription)
}

/// The public schema in SDL, as schema.graphql holds it.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by();
    builder().finish().sdl_with_options(options)
}
