//! Answers to what hyper cannot parse. It answers that itself, with a status and nothing else; here such an
//! answer gets the headers and the shape that every other error has.

use axum::http::StatusCode;
use uuid::Uuid;

use crate::graphql::{ErrorCode, request_error};

/// The answer in the place of one that hyper has written by itself, which closes the connection.
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
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\nx-request-id: {id}\r\nx-content-type-options: nosniff\r\n\r\n{body}",
        body.len()
    );
    Some(answer.into_bytes())
}
