//! The codes of errors, their HTTP statuses, and the conversion of every error into the form that clients
//! receive. Only this module converts the errors of other layers to codes.

use async_graphql::{ContextBase, Enum, ErrorExtensionValues, Name, QueryPathSegment, ServerError, Value};
use indexmap::IndexMap;

use crate::domain::{Error, FieldFault, PathSegment, Problem, Rule};
use crate::graphql::guard;

/// The properties of one code that clients can rely on.
pub struct CodeSpec {
    pub code: ErrorCode,
    /// The code as clients receive it.
    pub name: &'static str,
    /// The HTTP status with the same meaning.
    pub status: u16,
    /// Whether the same request can succeed later.
    pub retryable: bool,
    /// The cause of errors with this code.
    pub description: &'static str,
}

/// Defines the codes, so that the schema and [`CODES`] describe them in the same words. A row has the code,
/// its name, its HTTP status, whether a retry can succeed, and the description.
macro_rules! error_codes {
    ($($code:ident $name:literal $status:literal $retryable:literal $description:tt)+) => {
        /// The code of an error. Every error has one, in `extensions.code`.
        #[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode {
            $(#[doc = $description] $code,)+
        }

        /// Every code.
        pub const CODES: &[CodeSpec] = &[$(CodeSpec {
            code: ErrorCode::$code,
            name: $name,
            status: $status,
            retryable: $retryable,
            description: $description,
        },)+];
    };
}

error_codes! {
    Unauthenticated "UNAUTHENTICATED" 401 false
        "The access token is missing, expired or invalid."
    InvalidCredentials "INVALID_CREDENTIALS" 401 false
        "The login, the password, the refresh token or the token of a mail is wrong."
    Forbidden "FORBIDDEN" 403 false
        "The object belongs to another user, registration is closed, or the API key or the account lacks a right: \
         `extensions.required` names it."
    NotFound "NOT_FOUND" 404 false
        "The object does not exist, or the task is in the trash."
    Conflict "CONFLICT" 409 false
        "The value is already used, the task does not have the expected version, or writes conflicted."
    BadUserInput "BAD_USER_INPUT" 400 false
        "A value breaks a rule; `extensions.fields` lists the values with their rules."
    CursorExpired "CURSOR_EXPIRED" 410 false
        "The changes after this cursor are no longer known. The client discards its copy and reads everything again."
    RateLimited "RATE_LIMITED" 429 true
        "There were too many attempts; `extensions.retryAfter` is the time to wait, in seconds."
    QueryTooComplex "QUERY_TOO_COMPLEX" 400 false
        "The document or the response exceeds a limit; the message names it."
    BadRequest "BAD_REQUEST" 400 false
        "The request is not a valid GraphQL-over-HTTP request, or its document is not valid GraphQL."
    PersistedQueryNotFound "PERSISTED_QUERY_NOT_FOUND" 200 true
        "The hash of a persisted document is unknown; send the text of the document too."
    Timeout "TIMEOUT" 504 true
        "The operation exceeded its time limit."
    ServiceUnavailable "SERVICE_UNAVAILABLE" 503 true
        "The database cannot be reached, too many mails wait, or the server is overloaded or stopping."
    InternalServerError "INTERNAL_SERVER_ERROR" 500 true
        "The server failed. Its log has the cause under the request id."
}

impl ErrorCode {
    fn spec(self) -> &'static CodeSpec {
        CODES.iter().find(|spec| spec.code == self).expect("every code has its specification")
    }

    /// The code as clients receive it.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The HTTP status with the same meaning.
    pub fn status(self) -> u16 {
        self.spec().status
    }
}

/// The error of a resolver. It does not implement Display, so that `?` converts only errors of the domain
/// into it: the text of a database error contains SQL.
#[derive(Clone, Debug)]
pub struct FieldError {
    error: Error,
    /// The path of a field below the root. async-graphql replaces the path of an error while it returns it.
    path: Vec<async_graphql::PathSegment>,
}

impl From<Error> for FieldError {
    fn from(error: Error) -> Self {
        Self { error, path: Vec::new() }
    }
}

impl From<FieldError> for async_graphql::Error {
    fn from(failure: FieldError) -> Self {
        let error = &failure.error;
        let mut extensions = with_code(code_of(error));
        match error {
            Error::AlreadyExists(faults)
            | Error::EmailTaken(faults)
            | Error::Invalid(faults)
            | Error::Bulk { faults, .. } => {
                extensions.set("fields", fields(faults));
            }
            Error::RateLimited { retry_after } => extensions.set("retryAfter", *retry_after),
            Error::VersionConflict { current, .. } => extensions.set("currentVersion", *current),
            Error::RevisionConflict { current } => extensions.set("currentRevision", current.as_str()),
            Error::MissingRight(required) => extensions.set("required", required.name()),
            _ => {}
        }
        let mut wire = async_graphql::Error::new(error.to_string());
        wire.extensions = Some(extensions);
        wire.source = Some(std::sync::Arc::new(failure));
        wire
    }
}

impl FieldError {
    /// The error of the field that is being resolved.
    pub fn at_path<T>(context: &ContextBase<'_, T>, error: Error) -> Self {
        let mut path = Vec::new();
        let mut node = context.path_node;
        while let Some(step) = node {
            path.push(match step.segment {
                QueryPathSegment::Name(name) => async_graphql::PathSegment::Field(name.to_owned()),
                QueryPathSegment::Index(index) => async_graphql::PathSegment::Index(index),
            });
            node = step.parent.copied();
        }
        path.reverse();
        Self { error, path }
    }
}

/// Restores the complete path of an error of a field below the root.
pub fn restore_path(error: &mut ServerError) {
    if let Some(failure) = error.source::<FieldError>()
        && !failure.path.is_empty()
    {
        error.path = failure.path.clone();
    }
}

fn code_of(error: &Error) -> ErrorCode {
    match error {
        Error::Unauthenticated(_) => ErrorCode::Unauthenticated,
        Error::InvalidCredentials(_) => ErrorCode::InvalidCredentials,
        Error::Forbidden(_) | Error::MissingRight(_) => ErrorCode::Forbidden,
        Error::NotFound(_) => ErrorCode::NotFound,
        Error::Bulk { reason, .. } => code_of(reason),
        Error::AlreadyExists(_)
        | Error::EmailTaken(_)
        | Error::VersionConflict { .. }
        | Error::RevisionConflict { .. }
        | Error::Conflict(_)
        | Error::WriteConflict => ErrorCode::Conflict,
        Error::Invalid(_) => ErrorCode::BadUserInput,
        Error::CursorExpired => ErrorCode::CursorExpired,
        Error::RateLimited { .. } => ErrorCode::RateLimited,
        Error::ResponseTooLarge { .. } | Error::TooManyRelated { .. } => ErrorCode::QueryTooComplex,
        Error::Unavailable(_) | Error::Locked => ErrorCode::ServiceUnavailable,
        Error::Timeout => ErrorCode::Timeout,
        Error::Internal(_) => ErrorCode::InternalServerError,
    }
}

fn with_code(code: ErrorCode) -> ErrorExtensionValues {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code.name());
    extensions.set("status", i32::from(code.status()));
    extensions
}

/// An error of the whole request.
pub fn request_error(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.extensions = Some(with_code(code));
    error
}

/// The error of a request for whose response no memory is left.
pub fn response_memory_error() -> ServerError {
    let message = "The service is unavailable at the moment. Try again shortly.";
    request_error(ErrorCode::ServiceUnavailable, message)
}

/// A [`request_error`] about invalid values, each with its path.
pub fn input_error(faults: Vec<FieldFault>) -> ServerError {
    domain_error(Error::Invalid(faults))
}

/// A [`request_error`] for an error of the domain.
pub fn domain_error(error: Error) -> ServerError {
    let error: async_graphql::Error = FieldError::from(error).into();
    let mut server_error = ServerError::new(error.message, None);
    server_error.extensions = error.extensions;
    server_error.source = error.source;
    server_error
}

/// The error of a request that panicked.
pub fn panic_error() -> ServerError {
    let failure =
        FieldError::from(Error::internal(anyhow::anyhow!("a panic, which is logged with its location")));
    let mut error = request_error(ErrorCode::InternalServerError, failure.error.to_string());
    error.source = Some(std::sync::Arc::new(failure));
    error
}

/// The code of an error, if it has one.
pub fn code_name(error: &ServerError) -> Option<&'static str> {
    let Value::String(code) = error.extensions.as_ref()?.get("code")? else { return None };
    CODES.iter().map(|spec| spec.name).find(|name| name == code)
}

/// Gives an error of async-graphql its code, and removes from its message what the client sent: a document
/// can contain a password.
pub fn assign_code(error: &mut ServerError) {
    if code_name(error).is_some() {
        return;
    }
    let prefixes = ["Invalid value for argument \"", "Invalid default value for argument: \""];
    let argument = prefixes.iter().find_map(|prefix| error.message.strip_prefix(prefix));
    if let Some((path, _)) = argument.and_then(|rest| rest.split_once('"')) {
        let fault = FieldFault {
            path: path.split('.').map(|step| step.parse().map_or(step.into(), PathSegment::Index)).collect(),
            problem: Problem::new(Rule::Invalid, "has the wrong type"),
        };
        let coded = input_error(vec![fault]);
        error.message = coded.message;
        error.extensions = coded.extensions;
    } else if !error.path.is_empty() || error.message.starts_with("Failed to parse") {
        error.message = "A value does not have the required type.".to_owned();
        error.extensions = Some(with_code(ErrorCode::BadUserInput));
    } else {
        error.extensions = Some(with_code(ErrorCode::BadRequest));
    }
}

/// An error of the document guard with its code.
pub fn guard_error(error: guard::Error) -> ServerError {
    match error {
        guard::Error::LimitExceeded(limit) => request_error(ErrorCode::QueryTooComplex, limit.to_string()),
        guard::Error::Invalid { message, position } => {
            let mut coded = request_error(ErrorCode::BadRequest, message);
            coded.locations.extend(position);
            coded
        }
        guard::Error::Values(errors) => input_error(errors.into_iter().map(field_fault).collect()),
    }
}

fn field_fault(error: guard::ValueError) -> FieldFault {
    let segment = |segment| match segment {
        guard::PathSegment::Field(name) => PathSegment::Field(name),
        guard::PathSegment::Index(index) => PathSegment::Index(index),
    };
    let rule = match error.rule {
        guard::Rule::Required => Rule::Required,
        guard::Rule::TooMany => Rule::TooMany,
        guard::Rule::OutOfRange => Rule::OutOfRange,
        guard::Rule::Invalid => Rule::Invalid,
    };
    FieldFault {
        path: error.path.into_iter().map(segment).collect(),
        problem: Problem::new(rule, error.message),
    }
}

fn fields(faults: &[FieldFault]) -> Value {
    let step = |step: &PathSegment| match step {
        PathSegment::Field(name) => Value::from(name.as_str()),
        PathSegment::Index(index) => Value::from(*index),
    };
    let field = |fault: &FieldFault| {
        Value::Object(IndexMap::from([
            (Name::new("path"), Value::List(fault.path.iter().map(step).collect())),
            (Name::new("message"), Value::from(fault.problem.message.as_str())),
            (Name::new("rule"), Value::from(fault.problem.rule.name())),
        ]))
    };
    Value::List(faults.iter().map(field).collect())
}

/// The cause of an error that clients do not see. It is logged.
pub fn internal_cause(error: &ServerError) -> Option<&anyhow::Error> {
    match &error.source::<FieldError>()?.error {
        Error::Internal(cause) | Error::Unavailable(cause) => Some(cause),
        _ => None,
    }
}
