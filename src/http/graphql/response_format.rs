//! The media types and content codings of requests and responses.

use async_graphql::ServerError;
use axum::Extension;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::graphql::code_name;
use crate::http::graphql::accept::Accept;
use crate::http::request_log::ResponseInfo;

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFormat {
    /// application/graphql-response+json: a request error has a status of 4xx or 5xx.
    GraphqlResponse,
    /// application/json: a request error may have the status 200.
    Json,
}

impl ResponseFormat {
    /// The media types, in the order of the variants.
    pub const NAMES: [&str; 2] = ["application/graphql-response+json", "application/json"];

    /// The media type that the client prefers; None when it accepts neither. The newer type must be listed
    /// without a wildcard: a client that accepts any type may not support it.
    pub fn negotiate(accept: &Accept) -> Option<Self> {
        let [newer, json] = Self::NAMES;
        let (newer, json) = (accept.exact(newer).unwrap_or(0.0), accept.weight(json));
        if accept.is_empty() {
            Some(Self::Json)
        } else if newer > 0.0 && newer >= json {
            Some(Self::GraphqlResponse)
        } else {
            (json > 0.0).then_some(Self::Json)
        }
    }

    /// The value of the Content-Type header.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    /// A response with errors and without data.
    pub fn refuse(self, status: StatusCode, errors: Vec<ServerError>) -> Response {
        let body = serde_json::json!({ "errors": errors }).to_string();
        let observed = ResponseInfo { code: errors.first().and_then(code_name), ..ResponseInfo::default() };
        let mut response = (status, Extension(observed), body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, self.content_type());
        response
    }

    /// The status for a document that was refused. With application/json it is 200, since clients that do not
    /// support the newer type treat any other status as a transport error.
    pub fn document_status(self) -> StatusCode {
        match self {
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
            Self::Json => StatusCode::OK,
        }
    }
}

/// Whether the Content-Type is one of these media types, in UTF-8.
pub fn has_media_type(headers: &HeaderMap, names: &[&str]) -> bool {
    let Some(Ok(content_type)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_utf8 = |parameter: String| match parameter.strip_prefix("charset=") {
        Some(charset) => matches!(charset.trim_matches('"'), "utf-8" | "utf8"),
        None => true,
    };
    parts.next().is_some_and(|name| names.contains(&name.as_str())) && parts.all(is_utf8)
}

/// Whether a body has no content coding: compressed bodies are not supported.
pub fn is_uncoded(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings.flat_map(|codings| codings.as_bytes().split(|byte| *byte == b',')).all(|coding| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    })
}

/// Tells the client of a request with a content coding that the coding is refused, not the media type (RFC 9110,
/// 12.5.3).
pub fn name_content_codings(response: &mut Response, request: &HeaderMap) {
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && !is_uncoded(request) {
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
}

/// Tells caches that the response depends on the user, unless it does so already.
pub fn not_stored(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uncoded(values: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        is_uncoded(&headers)
    }

    #[test]
    fn identity_is_the_only_content_coding() {
        assert!(uncoded(&[]) && uncoded(&[""]) && uncoded(&["identity"]) && uncoded(&["Identity, identity"]));
        assert!(!uncoded(&["gzip"]) && !uncoded(&["identity", "br"]) && !uncoded(&["identity, deflate"]));
    }
}
