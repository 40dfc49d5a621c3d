//! Responses to requests that hyper cannot parse. hyper writes them without passing through the router, with a status
//! only; this module replaces them by a response with the headers and the body of every other error.

use axum::http::StatusCode;
use uuid::Uuid;

use crate::graphql::{ErrorCode, request_error};

/// The replacement for a response that hyper wrote itself; it closes the connection.
pub fn replacement_for(written: &[u8]) -> Option<Vec<u8>> {
    let status = StatusCode::from_bytes(written.strip_prefix(b"HTTP/1.1 ")?.get(..3)?).ok()?;
    let message = match status {
        StatusCode::URI_TOO_LONG => "The address of the request is too long.",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "The head of the request has more than 64 KiB or more than 100 headers."
        }
        _ => "The request is not valid HTTP/1.1.",
    };
    let id = Uuid::new_v4().to_string();
    let mut error = request_error(ErrorCode::BadRequest, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("status", i32::from(status.as_u16()));
    extensions.set("requestId", id.as_str());
    let body = serde_json::json!({ "errors": [error] }).to_string();
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\nx-request-id: {id}\r\nx-content-type-options: nosniff\r\n\r\n{body}",
        body.len()
    );
    Some(response.into_bytes())
}
