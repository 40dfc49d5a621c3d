//! GraphQL over HTTP, as its specification has it (2025 and later drafts) in the reading of the audits
//! of graphql-http. The library's own handler runs mutations over GET and has no body limit.

mod accept;
pub mod request_body;
mod response_body;
pub mod response_format;

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::{Response as GraphqlResponse, ServerError, Variables};
use async_graphql_axum::GraphQLResponse;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::auth::Credential;
use crate::graphql::guard::{MAX_JSON_NESTING, scan_json};
use crate::graphql::{
    Disposition, ErrorCode, Execution, GraphqlRequest, JsonChunks, ResponseShare, code_name, request_error,
    response_memory_error,
};
use crate::http::client_ip::{Peer, client};
use crate::http::graphql::accept::Accept;
use crate::http::graphql::request_body::{BodyError, BodyPermit, ReadBody};
use crate::http::graphql::response_format::{ResponseFormat, is_json, is_uncoded};
use crate::http::playground;
use crate::http::request_log::{RequestId, ResponseInfo};

/// So many bytes are there for what of an answer has not been written yet.
const INITIAL_CAPACITY_BYTES: usize = 1024;

/// Answers /graphql, whatever the method.
pub(super) async fn handle(
    State(state): State<Arc<super::State>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().copied();
    let accept = Accept::of(&parts.headers);
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    if is_read && state.playground && prefers_html(&accept) {
        return playground::page();
    }
    let media = ResponseFormat::negotiate(&accept);
    let read = async {
        media.ok_or_else(|| {
            RequestError::http(
                StatusCode::NOT_ACCEPTABLE,
                "Acceptable are application/graphql-response+json and application/json.",
            )
        })?;
        let client = client(peer, &parts.headers, &state.trusted_proxies);
        let (mut operation, permit) = match parts.method {
            Method::GET | Method::HEAD => (from_query(parts.uri.query().unwrap_or_default())?, None),
            Method::POST => from_body(&state, &parts.headers, body, client.counted_address()).await?,
            _ => return Err(RequestError::http(StatusCode::METHOD_NOT_ALLOWED, "Use GET or POST.")),
        };
        operation.credential = credential(&parts.headers)?;
        operation.client = client;
        operation.read_only = is_read;
        operation.request_id = request_id.clone();
        Ok((operation, permit))
    };
    let media = media.unwrap_or(ResponseFormat::Json);
    let mut response = match read.await {
        // The variables are kept until the answer is there.
        Ok((operation, _permit)) => {
            let credential = operation.credential.clone();
            respond(state.endpoint.execute(operation).await, media, &credential, &request_id)
        }
        Err(fault) => fault.respond(media, &request_id),
    };
    // It tells a client that the coding is the fault, and not the media type (RFC 9110, 12.5.3).
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE && !is_uncoded(&parts.headers) {
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    // What is answered depends on who asks, and is nobody else's.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn prefers_html(accept: &Accept) -> bool {
    let html = accept.exact("text/html").unwrap_or(0.0);
    html > 0.0 && ResponseFormat::NAMES.iter().all(|name| accept.weight(name) < html)
}

/// Turns an answer into a response with the status that the specification gives it.
fn respond(answer: Execution, media: ResponseFormat, credential: &Credential, request_id: &str) -> Response {
    let Execution { response, stage, summary, share } = answer;
    let mut code = response.errors.first().and_then(code_name);
    let mut response = match stage {
        Disposition::Executed => executed(response, media, &share).unwrap_or_else(|| {
            code = Some(ErrorCode::ServiceUnavailable.name());
            let error = Box::new(response_memory_error());
            RequestError { status: Some(StatusCode::SERVICE_UNAVAILABLE), error }.respond(media, request_id)
        }),
        Disposition::Refused => media.refuse(media.document_status(), response.errors),
        Disposition::MethodNotAllowed => {
            let mut refusal = media.refuse(StatusCode::METHOD_NOT_ALLOWED, response.errors);
            refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            refusal
        }
        Disposition::Rejected(code) => {
            let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let challenge =
                (code == ErrorCode::Unauthenticated).then(|| challenge(&response.errors, credential));
            let retry_after = retry_after(&response.errors);
            let mut refusal = media.refuse(status, response.errors);
            refusal.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
            refusal.headers_mut().extend(challenge.map(|challenge| (header::WWW_AUTHENTICATE, challenge)));
            refusal
        }
    };
    response.extensions_mut().insert(ResponseInfo { code, operation: Some(summary) });
    response
}

/// None when there is no memory for the answer.
fn executed(
    mut response: GraphqlResponse,
    media: ResponseFormat,
    share: &Arc<ResponseShare>,
) -> Option<Response> {
    let (errors, data) = (std::mem::take(&mut response.errors), std::mem::take(&mut response.data));
    let mut pieces = JsonChunks::new(Vec::with_capacity(INITIAL_CAPACITY_BYTES));
    let text = pieces.text();
    text.push(b'{');
    if !errors.is_empty() {
        text.extend_from_slice(b"\"errors\":");
        serde_json::to_writer(&mut *text, &errors).expect("errors are written into memory");
        text.push(b',');
    }
    text.extend_from_slice(b"\"data\":");
    pieces.add(data);
    pieces.text().push(b'}');
    // The library knows the headers. The data are partly written already, which it does not know.
    let mut response = GraphQLResponse::from(response).into_response();
    *response.body_mut() = response_body::body(pieces.finish(), share)?;
    response.headers_mut().insert(header::CONTENT_TYPE, media.content_type());
    Some(response)
}

/// The seconds that a refused client is to wait.
fn retry_after(errors: &[ServerError]) -> Option<HeaderValue> {
    match errors.first()?.extensions.as_ref()?.get("retryAfter")? {
        async_graphql::Value::Number(seconds) => HeaderValue::from_str(&seconds.to_string()).ok(),
        _ => None,
    }
}

/// What a 401 asks for (RFC 6750, 3): the reason only when a token was sent.
fn challenge(errors: &[ServerError], credential: &Credential) -> HeaderValue {
    let reason = errors.first().map_or("", |error| error.message.as_str());
    let challenge = match credential {
        Credential::None => "Bearer".to_owned(),
        Credential::Bearer(_) => format!("Bearer error=\"invalid_token\", error_description=\"{reason}\""),
    };
    HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"))
}

/// Why a request could not be read.
struct RequestError {
    /// None: a limit of documents is exceeded, and the media type decides.
    status: Option<StatusCode>,
    error: Box<ServerError>,
}

impl RequestError {
    fn http(status: StatusCode, message: &str) -> Self {
        let mut error = request_error(ErrorCode::BadRequest, message);
        // `status` is the exact HTTP status.
        error.extensions.get_or_insert_default().set("status", i32::from(status.as_u16()));
        Self { status: Some(status), error: Box::new(error) }
    }

    fn bad(message: &str) -> Self {
        Self::http(StatusCode::BAD_REQUEST, message)
    }

    fn unavailable(message: &str) -> Self {
        let error = request_error(ErrorCode::ServiceUnavailable, message);
        Self { status: Some(StatusCode::SERVICE_UNAVAILABLE), error: Box::new(error) }
    }

    fn respond(mut self, media: ResponseFormat, request_id: &str) -> Response {
        self.error.extensions.get_or_insert_default().set("requestId", request_id);
        let status = self.status.unwrap_or(media.document_status());
        let mut response = media.refuse(status, vec![*self.error]);
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
        }
        response
    }
}

/// The parameters of a request, in its body or its URL.
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
            name: parameters.operation_name.filter(|name| !name.is_empty()),
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
fn from_query(query: &str) -> Result<GraphqlRequest, RequestError> {
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

/// Reads the parameters of a POST, and counts their memory as that of the body.
async fn from_body(
    state: &super::State,
    headers: &HeaderMap,
    body: Body,
    address: IpAddr,
) -> Result<(GraphqlRequest, Option<BodyPermit>), RequestError> {
    if !is_uncoded(headers) {
        let message = "The body must not have a Content-Encoding.";
        return Err(RequestError::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if !is_json(headers) {
        let message = "Content-Type must be application/json, in UTF-8.";
        return Err(RequestError::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let limit = state.endpoint.limits().request_bytes;
    let ReadBody { bytes, mut permit } =
        state.bodies.read(headers, body, limit, address).await.map_err(|error| match error {
            BodyError::TooLarge => {
                let message = format!("The body has more than {limit} bytes.");
                RequestError::http(StatusCode::PAYLOAD_TOO_LARGE, &message)
            }
            BodyError::TooSlow => {
                RequestError::http(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive.")
            }
            BodyError::BrokenOff => RequestError::bad("The body broke off."),
        })?;
    let message = "The body must be one JSON object: `query` a string, `operationName` a string, \
                   `variables` and `extensions` objects.";
    // A list would be read as the fields in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(RequestError::bad(message));
    }
    // Small values take many times the memory of their text.
    let memory = scan_json(&bytes).memory;
    if state.bodies.parsed(memory, &mut permit, address).await.is_none() {
        return Err(RequestError::unavailable("The server has no memory for this request at the moment."));
    }
    let parameters = parse_json::<Parameters>(&bytes, message)?;
    Ok((parameters.try_into()?, permit))
}

fn parse_json<T: for<'de> Deserialize<'de>>(text: &[u8], message: &str) -> Result<T, RequestError> {
    let nesting = scan_json(text).nesting;
    if nesting > MAX_JSON_NESTING {
        let message = format!("JSON nesting is {nesting}; the limit is {MAX_JSON_NESTING}.");
        let error = request_error(ErrorCode::QueryTooComplex, message);
        return Err(RequestError { status: None, error: Box::new(error) });
    }
    // The parser's own message would quote what it found.
    serde_json::from_slice(text).map_err(|_| RequestError::bad(message))
}

/// The token of the one Authorization header. Another scheme than Bearer is as good as none.
fn credential(headers: &HeaderMap) -> Result<Credential, RequestError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, another) = (values.next(), values.next());
    if another.is_some() {
        return Err(RequestError::bad("Send one Authorization header."));
    }
    let value = value.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let bearer = value.as_deref().map(str::trim).and_then(|value| {
        let (scheme, token) = value.split_once([' ', '\t']).unwrap_or((value, ""));
        scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
    });
    Ok(bearer.map_or(Credential::None, |token| Credential::Bearer(token.into())))
}
