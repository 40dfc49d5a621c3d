//! The result of an operation: its response, how far it came, and the errors as clients receive them.

use std::collections::HashSet;
use std::sync::Arc;

use async_graphql::{PathSegment, Response, ServerError, Value};

use crate::graphql::direct_json::write::JsonChunks;
use crate::graphql::error::{
    ErrorCode, assign_code, code_name, guard_error, internal_cause, request_error, response_memory_error,
};
use crate::graphql::error_limit;
use crate::graphql::guard;
use crate::graphql::response_budget::ResponseShare;
use crate::graphql::root_fields::RootFields;

/// The most errors in one response.
const MAX_ERRORS: usize = 20;

/// The result of one operation. Every error in it has its code, status and request id.
pub struct Execution {
    pub response: Response,
    pub disposition: Disposition,
    pub summary: OperationSummary,
    /// The response's share of the memory for responses.
    pub share: Arc<ResponseShare>,
}

impl Execution {
    /// Writes the data as JSON, so that they need not be written later, and returns the bytes of data and errors.
    pub fn write_as_json(&mut self) -> usize {
        let mut json = JsonChunks::default();
        json.add(std::mem::take(&mut self.response.data));
        let data = json.finish().concat();
        let errors = serde_json::to_vec(&self.response.errors).expect("errors are written into memory");
        let bytes = data.len() + errors.len();
        self.response.data = Value::Binary(data.into());
        bytes
    }
}

/// How far an operation came. It decides the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Execution began: the response has `data`.
    Executed,
    /// The document was refused before execution.
    Refused,
    /// Nothing was executed, for a reason that has an HTTP status.
    Rejected(ErrorCode),
    /// The operation is a mutation, and the HTTP method is a safe one.
    MethodNotAllowed,
}

/// The facts about an operation that the log may contain. The user has written only the name among them.
#[derive(Clone, Debug, Default)]
pub struct OperationSummary {
    pub name: Option<String>,
    /// "query", "mutation" or "subscription"; None when no operation was selected.
    pub ty: Option<&'static str>,
    /// The first 16 hexadecimal digits of the document's SHA-256.
    pub document: Option<String>,
}

/// The response to an operation that is not executed.
pub struct Refusal {
    pub response: Response,
    pub disposition: Disposition,
    pub summary: OperationSummary,
}

impl Refusal {
    /// The execution that a transport reports in place of one.
    pub fn into_execution(self, share: Arc<ResponseShare>) -> Execution {
        let Self { response, disposition, summary } = self;
        Execution { response, disposition, summary, share }
    }
}

/// Why an operation is not executed.
pub struct Rejection {
    pub disposition: Disposition,
    pub errors: Vec<ServerError>,
}

impl Rejection {
    /// A rejection that the code's HTTP status reports.
    pub fn coded(code: ErrorCode, message: &str) -> Self {
        Self { disposition: Disposition::Rejected(code), errors: vec![request_error(code, message)] }
    }

    /// No memory is left for the response. No mutation has been executed.
    pub fn no_response_memory() -> Self {
        Self {
            disposition: Disposition::Rejected(ErrorCode::ServiceUnavailable),
            errors: vec![response_memory_error()],
        }
    }

    /// The operation is a mutation, and the HTTP method is a safe one.
    pub fn mutation_needs_post() -> Self {
        let mut error = request_error(ErrorCode::BadRequest, "Mutations need POST.");
        error.extensions.get_or_insert_default().set("status", 405);
        Self { disposition: Disposition::MethodNotAllowed, errors: vec![error] }
    }

    /// The operation is a mutation, and the transport is a stream.
    pub fn mutation_on_stream() -> Self {
        let message = "Mutations are not executed on a stream, since clients repeat the operations of a lost \
                       stream. Send a POST.";
        request_error(ErrorCode::BadRequest, message).into()
    }
}

impl From<Vec<ServerError>> for Rejection {
    fn from(errors: Vec<ServerError>) -> Self {
        Self { disposition: Disposition::Refused, errors }
    }
}

impl From<ServerError> for Rejection {
    fn from(error: ServerError) -> Self {
        vec![error].into()
    }
}

impl From<guard::Error> for Rejection {
    fn from(error: guard::Error) -> Self {
        guard_error(error).into()
    }
}

impl From<Vec<guard::Error>> for Rejection {
    fn from(errors: Vec<guard::Error>) -> Self {
        errors.into_iter().map(guard_error).collect::<Vec<_>>().into()
    }
}

impl From<Rejection> for (Response, Disposition) {
    fn from(rejection: Rejection) -> Self {
        (Response::from_errors(rejection.errors), rejection.disposition)
    }
}

/// How far execution came. Errors of fields have a path, errors before execution have none.
pub fn disposition(response: &Response, roots: &RootFields) -> Disposition {
    if response.errors.iter().any(|error| error.path.is_empty()) {
        return Disposition::Refused;
    }
    let is_empty = match &response.data {
        Value::Null => true,
        Value::Object(fields) => {
            roots.keys.iter().all(|key| fields.get(key.as_str()).is_none_or(|value| *value == Value::Null))
        }
        _ => false,
    };
    // A mutation that failed below its root has been executed, even when nothing remains of its response.
    let all_at_root = response.errors.iter().all(|error| error.path.len() == 1);
    if !is_empty || !all_at_root || roots.has_public_query {
        return Disposition::Executed;
    }
    [ErrorCode::Unauthenticated, ErrorCode::RateLimited, ErrorCode::ServiceUnavailable]
        .into_iter()
        .find(|code| {
            !response.errors.is_empty()
                && response.errors.iter().all(|error| code_name(error) == Some(code.name()))
        })
        .map_or(Disposition::Executed, Disposition::Rejected)
}

/// Brings the errors of a response into the form that clients receive, in the order of the data. An execution that
/// `is_repeated` by the server while the service is unavailable is not logged each time.
pub fn finalize_errors(response: &mut Response, request_id: &str, is_repeated: bool) {
    dedup_and_sort_errors(response);
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        log_cause(error, request_id, is_repeated);
        assign_code(error);
        error_limit::shorten(error);
        error.extensions.get_or_insert_default().set("requestId", request_id);
    }
}

/// Keeps one error for each path, in the order of the data: async-graphql resolves a field once for each
/// selection of it, and reports errors in the order in which they occur.
fn dedup_and_sort_errors(response: &mut Response) {
    if response.errors.len() < 2 {
        return;
    }
    let mut paths = HashSet::new();
    response.errors.retain(|error| error.path.is_empty() || paths.insert(format!("{:?}", error.path)));
    let data = &response.data;
    response.errors.sort_by_cached_key(|error| data_position(data, &error.path));
}

/// The position of a path in the data, one number for each step, as far as the data reach.
fn data_position(mut data: &Value, path: &[PathSegment]) -> Vec<usize> {
    let step = |segment: &PathSegment| {
        let (position, inner) = match (data, segment) {
            (Value::Object(fields), PathSegment::Field(key)) => {
                fields.get_full(key.as_str()).map(|(position, _, value)| (position, value))?
            }
            (Value::List(items), PathSegment::Index(index)) => (*index, items.get(*index)?),
            _ => return None,
        };
        data = inner;
        Some(position)
    };
    path.iter().map_while(step).collect()
}

/// Logs the internal cause of an error, if it has one.
fn log_cause(error: &ServerError, request_id: &str, is_repeated: bool) {
    let Some(cause) = internal_cause(error) else { return };
    let code = code_name(error);
    if is_repeated && code == Some(ErrorCode::ServiceUnavailable.name()) {
        tracing::debug!(request_id, code, error = ?cause, "an operation failed");
    } else {
        tracing::error!(request_id, code, error = ?cause, "an operation failed");
    }
}
