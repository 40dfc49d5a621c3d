//! The HTTP response to an executed operation: status, headers and body.

use std::sync::Arc;

use async_graphql::{Response as GraphqlResponse, ServerError};
use async_graphql_axum::GraphQLResponse;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::auth::{Credential, Viewer};
use crate::graphql::{Disposition, ErrorCode, Execution, JsonChunks, ResponseShare, code_name};
use crate::http::graphql::json::add_response;
use crate::http::graphql::request_error::{RequestError, retry_after};
use crate::http::graphql::response_body;
use crate::http::graphql::response_format::ResponseFormat;
use crate::http::request_log::ResponseInfo;

/// The initial capacity of the buffer that a response is written to.
const INITIAL_CAPACITY_BYTES: usize = 1024;

/// The HTTP response with the status that the specification of GraphQL over HTTP gives to a disposition.
pub fn respond(
    execution: Execution,
    viewer: Option<Viewer>,
    format: ResponseFormat,
    credential: &Credential,
    request_id: &str,
) -> Response {
    let Execution { response, disposition, summary, share } = execution;
    let mut code = response.errors.first().and_then(code_name);
    let mut response = match disposition {
        Disposition::Executed => executed(response, format, &share).unwrap_or_else(|| {
            code = Some(ErrorCode::ServiceUnavailable.name());
            RequestError::no_response_memory().respond(format, request_id)
        }),
        Disposition::Refused => format.refuse(format.document_status(), response.errors),
        Disposition::MethodNotAllowed => {
            let mut refused = format.refuse(StatusCode::METHOD_NOT_ALLOWED, response.errors);
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            refused
        }
        Disposition::Rejected(code) => rejected(code, response.errors, format, credential),
    };
    response.extensions_mut().insert(ResponseInfo { code, operation: Some(summary), viewer });
    response
}

/// The response to an operation that was not executed, with the status and the headers of its code.
pub fn rejected(
    code: ErrorCode,
    errors: Vec<ServerError>,
    format: ResponseFormat,
    credential: &Credential,
) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = rejection_headers(&errors, credential);
    let mut response = format.refuse(status, errors);
    response.headers_mut().extend(headers);
    response
}

/// The headers that the code of the first error needs in a response that has no data.
pub fn rejection_headers(errors: &[ServerError], credential: &Credential) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if errors.first().and_then(code_name) == Some(ErrorCode::Unauthenticated.name()) {
        headers.insert(header::WWW_AUTHENTICATE, challenge(errors, credential));
    }
    headers.extend(retry_after(errors).map(|seconds| (header::RETRY_AFTER, seconds)));
    headers
}

/// The response to an executed operation; None when no memory is left for it.
fn executed(
    mut response: GraphqlResponse,
    format: ResponseFormat,
    share: &Arc<ResponseShare>,
) -> Option<Response> {
    let mut chunks = JsonChunks::new(Vec::with_capacity(INITIAL_CAPACITY_BYTES));
    let (errors, data) = (std::mem::take(&mut response.errors), std::mem::take(&mut response.data));
    add_response(&mut chunks, &errors, data);
    // async-graphql-axum sets the headers. Its body is replaced, since the data are partly written as JSON.
    let mut response = GraphQLResponse::from(response).into_response();
    *response.body_mut() = response_body::body(chunks.finish(), share)?;
    response.headers_mut().insert(header::CONTENT_TYPE, format.content_type());
    Some(response)
}

/// The challenge of a 401 (RFC 6750, 3), with a reason only when a token was sent.
fn challenge(errors: &[ServerError], credential: &Credential) -> HeaderValue {
    let reason = errors.first().map_or("", |error| error.message.as_str());
    let challenge = match credential {
        Credential::None => "Bearer".to_owned(),
        Credential::Bearer(_) => format!("Bearer error=\"invalid_token\", error_description=\"{reason}\""),
    };
    HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"))
}
