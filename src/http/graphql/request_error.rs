//! The errors of requests that are refused before a document is read.

use async_graphql::ServerError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::graphql::{ErrorCode, request_error, response_memory_error};
use crate::http::graphql::response_format::ResponseFormat;

/// Why a request is refused before its document is read.
pub struct RequestError {
    /// None: the document exceeds a limit, and the response format decides on the status.
    status: Option<StatusCode>,
    error: Box<ServerError>,
}

impl RequestError {
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

    /// The error of an executed operation for whose response no memory is left.
    pub fn no_response_memory() -> Self {
        let error = Box::new(response_memory_error());
        Self { status: Some(StatusCode::SERVICE_UNAVAILABLE), error }
    }

    /// The error of a document that exceeds a limit.
    pub fn too_complex(message: String) -> Self {
        Self { status: None, error: Box::new(request_error(ErrorCode::QueryTooComplex, message)) }
    }

    /// The response in this format.
    pub fn respond(mut self, format: ResponseFormat, request_id: &str) -> Response {
        self.error.extensions.get_or_insert_default().set("requestId", request_id);
        let status = self.status.unwrap_or(format.document_status());
        let mut response = format.refuse(status, vec![*self.error]);
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
        }
        response
    }
}
