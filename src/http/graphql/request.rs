//! Reads a GraphQL request from an HTTP request: the parameters of a GET or of a POST, and the credential.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::Variables;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::auth::Credential;
use crate::graphql::GraphqlRequest;
use crate::graphql::guard::{MAX_JSON_NESTING, estimate_json};
use crate::http::graphql::request_body::{BodyError, BodyPermit, ReadBody};
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::response_format::{has_media_type, is_uncoded};
use crate::http::shared::Shared;

/// The parameters of a request, from its body or its URL.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<Variables>,
    extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

impl TryFrom<Parameters> for GraphqlRequest {
    type Error = RequestError;

    fn try_from(parameters: Parameters) -> Result<Self, RequestError> {
        let query = parameters.query.filter(|query| !query.trim().is_empty());
        let persisted = parameters.extensions.as_ref().and_then(|all| all.get("persistedQuery"));
        let document_id = match (parameters.document_id, persisted) {
            (Some(id), _) => Some(id.strip_prefix("sha256:").map_or_else(|| id.clone(), str::to_owned)),
            (None, Some(persisted)) => Some(persisted_hash(persisted)?),
            (None, None) => None,
        };
        if query.is_none() && document_id.is_none() {
            return Err(RequestError::bad("`query` is missing: the text of a GraphQL document."));
        }
        Ok(Self {
            query,
            document_id,
            operation_name: parameters.operation_name.filter(|name| !name.is_empty()),
            variables: parameters.variables.unwrap_or_default(),
            ..Self::default()
        })
    }
}

/// The hash in `extensions.persistedQuery`, as the protocol of automatic persisted queries has it.
fn persisted_hash(persisted: &serde_json::Value) -> Result<String, RequestError> {
    match (persisted["version"].as_u64(), persisted["sha256Hash"].as_str()) {
        (Some(1), Some(hash)) => Ok(hash.to_owned()),
        _ => Err(RequestError::bad("`extensions.persistedQuery` must have version 1 and sha256Hash.")),
    }
}

/// Reads the parameters of a GET.
pub fn from_query(query: &str) -> Result<GraphqlRequest, RequestError> {
    let mut parameters = Parameters::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.into_owned();
        match &*name {
            "query" => parameters.query = Some(value),
            "documentId" => parameters.document_id = Some(value),
            "operationName" => parameters.operation_name = Some(value),
            "variables" if !value.is_empty() => {
                parameters.variables = parse_json(value.as_bytes(), "`variables` must be a JSON object.")?;
            }
            "extensions" if !value.is_empty() => {
                parameters.extensions = parse_json(value.as_bytes(), "`extensions` must be a JSON object.")?;
            }
            _ => {}
        }
    }
    parameters.try_into()
}

/// Reads the parameters of a POST. The permit counts the memory of the body and of what was parsed from it.
pub async fn from_body(
    state: &Shared,
    headers: &HeaderMap,
    body: Body,
    address: IpAddr,
) -> Result<(GraphqlRequest, Option<BodyPermit>), RequestError> {
    let limit = state.api.limits().request_bytes;
    let ReadBody { bytes, mut permit } =
        read_body(state, headers, &["application/json"], body, limit, address).await?;
    let request = from_json(state, &bytes, &mut permit, address).await?;
    Ok((request, permit))
}

/// Reads a body of at most `limit` bytes that has one of these media types.
pub async fn read_body(
    state: &Shared,
    headers: &HeaderMap,
    media_types: &[&str],
    body: Body,
    limit: usize,
    address: IpAddr,
) -> Result<ReadBody, RequestError> {
    if !is_uncoded(headers) {
        let message = "The body must not have a Content-Encoding.";
        return Err(RequestError::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if !has_media_type(headers, media_types) {
        let message = format!("Content-Type must be {}, in UTF-8.", media_types.join(" or "));
        return Err(RequestError::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message));
    }
    state.bodies.read(headers, body, limit, address).await.map_err(|error| match error {
        BodyError::TooLarge => {
            let message = format!("The body has more than {limit} bytes.");
            RequestError::http(StatusCode::PAYLOAD_TOO_LARGE, &message)
        }
        BodyError::TooSlow => {
            RequestError::http(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive.")
        }
        BodyError::BrokenOff => RequestError::bad("The body broke off."),
    })
}

/// Parses the parameters of a request from a JSON object. The permit counts the memory of what was parsed.
pub async fn from_json(
    state: &Shared,
    text: &[u8],
    permit: &mut Option<BodyPermit>,
    address: IpAddr,
) -> Result<GraphqlRequest, RequestError> {
    let message = "The body must be one JSON object: `query` a string, `operationName` a string, \
                   `variables` and `extensions` objects.";
    // serde would read a list as the fields in their order.
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err(RequestError::bad(message));
    }
    // Small values need many times the memory of their text.
    let memory = estimate_json(text).memory_bytes;
    if state.bodies.parsed(memory, permit, address).await.is_none() {
        return Err(RequestError::unavailable("The server has no memory for this request at the moment."));
    }
    parse_json::<Parameters>(text, message)?.try_into()
}

fn parse_json<T: for<'de> Deserialize<'de>>(text: &[u8], message: &str) -> Result<T, RequestError> {
    let nesting = estimate_json(text).nesting;
    if nesting > MAX_JSON_NESTING {
        let message = format!("JSON nesting is {nesting}; the limit is {MAX_JSON_NESTING}.");
        return Err(RequestError::too_complex(message));
    }
    // The message of the parser would quote the text.
    serde_json::from_slice(text).map_err(|_| RequestError::bad(message))
}

/// The token of the Authorization header. Another scheme than Bearer is ignored.
pub fn credential(headers: &HeaderMap) -> Result<Credential, RequestError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, another) = (values.next(), values.next());
    if another.is_some() {
        return Err(RequestError::bad("Send one Authorization header."));
    }
    let value = value
        .map(|value| value.to_str().map_or_else(|_| String::from_utf8_lossy(value.as_bytes()), Cow::from));
    Ok(value.map_or(Credential::None, |value| bearer(&value)))
}

/// The token in the value of an Authorization header.
pub fn bearer(authorization: &str) -> Credential {
    let value = authorization.trim();
    let (scheme, token) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("Bearer") {
        Credential::Bearer(Arc::new(token.trim().into()))
    } else {
        Credential::None
    }
}
