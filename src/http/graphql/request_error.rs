//! The errors of requests that are refused before a document is read.

use async_graphql::ServerError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::api::DocumentError;
use crate::graphql::{ErrorCode, request_error, response_memory_error};
use crate::http::graphql::response_format::ResponseFormat;

/// After how many seconds a client that was refused because of a limit should try again.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Why a request is refused before its document is read.
pub struct RequestError {
    /// None: the document exceeds a limit, and the response format decides on the status.
    status: Option<StatusCode>,
    error: Box<ServerError>,
}

impl From<DocumentError> for RequestError {
    fn from(DocumentError(error): DocumentError) -> Self {
        Self { status: Some(status_of(&error)), error }
    }
}

impl RequestError {
    /// The error of a request for a path that does not exist.
    pub fn unknown_path() -> Self {
        let error = Box::new(request_error(ErrorCode::NotFound, "This path does not exist."));
        Self { status: Some(StatusCode::NOT_FOUND), error }
    }

    /// The error of a request that this HTTP status describes.
    pub fn http(status: StatusCode, message: &str) -> Self {
        let mut error = request_error(ErrorCode::BadRequest, message);
        // `status` is the exact HTTP status.
        error.extensions.get_or_insert_default().set("status", i32::from(status.as_u16()));
        Self { status: Some(status), error: Box::new(error) }
    }

    /// The error of a malformed request.
    pub fn bad(message: &str) -> Self {
        Self::http(StatusCode::BAD_REQUEST, message)
    }

    /// The error of a request that the server cannot take at the moment.
    pub fn unavailable(message: &str) -> Self {
        let error = request_error(ErrorCode::ServiceUnavailable, message);
        Self { status: Some(StatusCode::SERVICE_UNAVAILABLE), error: Box::new(error) }
    }

    /// The error of a request that is not allowed.
    pub fn forbidden(message: &str) -> Self {
        let error = request_error(ErrorCode::Forbidden, message);
        Self { status: Some(StatusCode::FORBIDDEN), error: Box::new(error) }
    }

    /// The error of a stream or an operation that would exceed a limit, or of a stream that begins while the
    /// server stops. The client may try again after [`RETRY_AFTER_SECONDS`].
    pub fn later(code: ErrorCode, message: &str) -> Self {
        let mut error = request_error(code, message);
        error.extensions.get_or_insert_default().set("retryAfter", RETRY_AFTER_SECONDS);
        Self { status: StatusCode::from_u16(code.status()).ok(), error: Box::new(error) }
    }

    /// The error of a stream that begins while the server stops.
    pub fn stopping() -> Self {
        Self::later(ErrorCode::ServiceUnavailable, "The server is stopping. Connect again.")
    }

    /// The error of a stream that begins while the server has too many.
    pub fn too_many_streams() -> Self {
        let message = "The server has too many streams at the moment. Try again shortly.";
        Self::later(ErrorCode::ServiceUnavailable, message)
    }

    /// The error of an executed operation for whose response no memory is left.
    pub fn no_response_memory() -> Self {
        let error = Box::new(response_memory_error());
        Self { status: Some(StatusCode::SERVICE_UNAVAILABLE), error }
    }

    /// The error of a document that exceeds a limit.
    pub fn too_complex(message: String) -> Self {
        Self { status: None, error: Box::new(request_error(ErrorCode::QueryTooComplex, message)) }
    }

    /// Whether the request itself is malformed, and not its document or its values.
    pub fn is_malformed(&self) -> bool {
        self.status == Some(StatusCode::BAD_REQUEST)
    }

    /// Whether the request is malformed or its document exceeds a limit, so that it fails each time it is sent.
    pub fn is_fault(&self) -> bool {
        self.is_malformed() || self.status.is_none()
    }

    /// The error as clients receive it.
    pub fn into_error(mut self, request_id: &str) -> ServerError {
        self.error.extensions.get_or_insert_default().set("requestId", request_id);
        *self.error
    }

    /// The response in this format.
    pub fn respond(self, format: ResponseFormat, request_id: &str) -> Response {
        let status = self.status.unwrap_or(format.document_status());
        let errors = vec![self.into_error(request_id)];
        let retry_after = retry_after(&errors);
        let mut response = format.refuse(status, errors);
        response.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
        }
        response
    }
}

/// The HTTP status that an error names.
pub fn status_of(error: &ServerError) -> StatusCode {
    let status = match error.extensions.as_ref().and_then(|extensions| extensions.get("status")) {
        Some(async_graphql::Value::Number(status)) => status.as_u64(),
        _ => None,
    };
    let status = status.and_then(|status| StatusCode::from_u16(status.try_into().ok()?).ok());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The seconds that the client has to wait, as the header Retry-After.
pub fn retry_after(errors: &[ServerError]) -> Option<HeaderValue> {
    match errors.first()?.extensions.as_ref()?.get("retryAfter")? {
        async_graphql::Value::Number(seconds) => HeaderValue::from_str(&seconds.to_string()).ok(),
        _ => None,
    }
}
