//! The execution engine: the path of an operation from the text of its document to a response with coded
//! errors. It is given a schema, and contains nothing about tasks or accounts.

pub mod direct_json;
mod document_cache;
pub mod error;
mod error_limit;
mod execution;
pub mod execution_state;
mod executor;
mod introspection;
mod limited_root;
mod operation;
mod persisted_documents;
mod request;
pub mod response_budget;
mod root_fields;

pub use direct_json::write::JsonChunks;
pub use error::{ErrorCode, code_name, panic_error, request_error, response_memory_error};
pub use execution::{Disposition, Execution, OperationSummary, Refusal, finalize_errors};
pub use executor::{Executor, ExecutorSettings};
pub use graphql_guard as guard;
pub use limited_root::LimitedRoot;
pub use operation::Operation;
pub use persisted_documents::{PersistedDocuments, TrustedDocuments};
pub use request::{AttributeResponse, GraphqlRequest, MutationPolicy};
pub use response_budget::{CountedBytes, ResponseShare, UNCOUNTED_BYTES};
