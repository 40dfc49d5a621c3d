//! Responses to requests that hyper cannot parse. hyper writes them without passing through the router, with
//! a status only; this module replaces them by a response with the headers and the body of every other error.

use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use tokio::io::AsyncWrite;
use uuid::Uuid;

use crate::graphql::{ErrorCode, request_error};

/// The remaining bytes of a response that replaces one that hyper wrote itself.
pub struct ParseErrorResponse(Vec<u8>);

impl ParseErrorResponse {
    /// The replacement for a response of hyper. None when `written` is not the beginning of a response.
    pub fn replacing(written: &[u8]) -> Option<Self> {
        let status = StatusCode::from_bytes(written.strip_prefix(b"HTTP/1.1 ")?.get(..3)?).ok()?;
        Some(Self(response(status).into_bytes()))
    }

    /// Ready when all bytes have been written.
    pub fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let Self(rest) = self;
        while !rest.is_empty() {
            let written = ready!(Pin::new(&mut *stream).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

/// A response that closes the connection.
fn response(status: StatusCode) -> String {
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
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\nx-request-id: {id}\r\nx-content-type-options: nosniff\r\n\r\n{body}",
        body.len()
    )
}
