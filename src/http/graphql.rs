//! GraphQL over HTTP, as its specification has it (2025 and later drafts) in the reading of the audits
//! of graphql-http. The library's own handler runs mutations over GET and has no body limit.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response as GraphqlResponse, ServerError, Variables};
use async_graphql_axum::GraphQLResponse;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;

use crate::graphql::guard::{MAX_JSON_NESTING, json_nesting};
use crate::graphql::{Answer, ErrorCode, Operation, Stage, code_name, request_error, write_value, written};
use crate::http::accept::Accept;
use crate::http::client::{Peer, client};
use crate::http::observe::{Observed, RequestId};
use crate::http::playground;
use crate::identity::Credential;

const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// So many bytes are there for what of an answer has not been written yet.
const SMALL: usize = 1024;

/// A media type that answers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// application/graphql-response+json, which tells request errors by the status.
    GraphqlResponse,
    /// application/json, which does not.
    Json,
}

impl Media {
    const NAMES: [&str; 2] = ["application/graphql-response+json", "application/json"];

    /// What the client likes best; None when neither will do. The newer type only by its own name: who
    /// takes anything may not know it.
    fn negotiate(accept: &Accept) -> Option<Self> {
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

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    /// Errors without data, under a status.
    pub fn refuse(self, status: StatusCode, errors: Vec<ServerError>) -> Response {
        let body = serde_json::json!({ "errors": errors }).to_string();
        let observed = Observed { code: errors.first().and_then(code_name), ..Observed::default() };
        let mut response = (status, Extension(observed), body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, self.content_type());
        response
    }

    /// The status of a document that was refused: plain JSON says 200 even then, since clients that do
    /// not know the newer type take any other status for a fault of the transport.
    fn document_status(self) -> StatusCode {
        match self {
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
            Self::Json => StatusCode::OK,
        }
    }
}

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
    let media = Media::negotiate(&accept);
    let read = async {
        let limit = state.endpoint.limits().request_bytes;
        media.ok_or_else(|| {
            Fault::http(
                StatusCode::NOT_ACCEPTABLE,
                "Acceptable are application/graphql-response+json and application/json.",
            )
        })?;
        let mut operation = match parts.method {
            Method::GET | Method::HEAD => from_query(parts.uri.query().unwrap_or_default())?,
            Method::POST => from_body(&parts.headers, body, limit).await?,
            _ => return Err(Fault::http(StatusCode::METHOD_NOT_ALLOWED, "Use GET or POST.")),
        };
        operation.credential = credential(&parts.headers)?;
        operation.client = client(peer, &parts.headers, &state.trusted_proxies);
        operation.read_only = is_read;
        operation.request_id = request_id.clone();
        Ok(operation)
    };
    let media = media.unwrap_or(Media::Json);
    let mut response = match read.await {
        Ok(operation) => {
            let credential = operation.credential.clone();
            respond(state.endpoint.execute(operation).await, media, &credential)
        }
        Err(fault) => fault.respond(media, &request_id),
    };
    // What is answered depends on who asks, and is nobody else's.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn prefers_html(accept: &Accept) -> bool {
    let html = accept.exact("text/html").unwrap_or(0.0);
    html > 0.0 && Media::NAMES.iter().all(|name| accept.weight(name) < html)
}

/// Turns an answer into a response with the status that the specification gives it.
fn respond(answer: Answer, media: Media, credential: &Credential) -> Response {
    let Answer { response, stage, summary } = answer;
    let code = response.errors.first().and_then(code_name);
    let mut response = match stage {
        Stage::Executed => executed(response, media),
        Stage::Refused => media.refuse(media.document_status(), response.errors),
        Stage::MethodNotAllowed => {
            let mut refusal = media.refuse(StatusCode::METHOD_NOT_ALLOWED, response.errors);
            refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            refusal
        }
        Stage::Rejected(code) => {
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
    response.extensions_mut().insert(Observed { code, operation: Some(summary) });
    response
}

fn executed(mut response: GraphqlResponse, media: Media) -> Response {
    let (errors, data) = (std::mem::take(&mut response.errors), std::mem::take(&mut response.data));
    let mut body = Vec::with_capacity(written(&data) + SMALL);
    body.push(b'{');
    if !errors.is_empty() {
        body.extend_from_slice(b"\"errors\":");
        serde_json::to_writer(&mut body, &errors).expect("errors are written into memory");
        body.push(b',');
    }
    body.extend_from_slice(b"\"data\":");
    write_value(&data, &mut body);
    body.push(b'}');
    // The library knows the headers; the data are partly written already, which it does not know.
    let mut response = GraphQLResponse::from(response).into_response();
    *response.body_mut() = body.into();
    response.headers_mut().insert(header::CONTENT_TYPE, media.content_type());
    response
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
struct Fault {
    /// None: a limit of documents is exceeded, and the media type decides.
    status: Option<StatusCode>,
    error: Box<ServerError>,
}

impl Fault {
    fn http(status: StatusCode, message: &str) -> Self {
        let mut error = request_error(ErrorCode::BadRequest, message);
        // `status` says which of the words that HTTP has it is.
        error.extensions.get_or_insert_default().set("status", i32::from(status.as_u16()));
        Self { status: Some(status), error: Box::new(error) }
    }

    fn bad(message: &str) -> Self {
        Self::http(StatusCode::BAD_REQUEST, message)
    }

    fn respond(mut self, media: Media, request_id: &str) -> Response {
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
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

impl TryFrom<Parameters> for Operation {
    type Error = Fault;

    fn try_from(parameters: Parameters) -> Result<Self, Fault> {
        let query = parameters.query.filter(|query| !query.trim().is_empty());
        let persisted = parameters.extensions.as_ref().and_then(|all| all.get("persistedQuery"));
        let document_id = match (parameters.document_id, persisted) {
            (Some(id), _) => Some(id.strip_prefix("sha256:").map_or_else(|| id.clone(), str::to_owned)),
            (None, Some(persisted)) => Some(persisted_hash(persisted)?),
            (None, None) => None,
        };
        if query.is_none() && document_id.is_none() {
            return Err(Fault::bad("`query` is missing: the text of a GraphQL document."));
        }
        let variables = parameters.variables.unwrap_or_default();
        Ok(Self {
            query,
            document_id,
            name: parameters.operation_name.filter(|name| !name.is_empty()),
            variables: Variables::from_json(variables.into()),
            ..Self::default()
        })
    }
}

/// The hash in `extensions.persistedQuery`, as the protocol of automatic persisted queries has it.
fn persisted_hash(persisted: &serde_json::Value) -> Result<String, Fault> {
    match (persisted["version"].as_u64(), persisted["sha256Hash"].as_str()) {
        (Some(1), Some(hash)) => Ok(hash.to_owned()),
        _ => Err(Fault::bad("`extensions.persistedQuery` must have version 1 and sha256Hash.")),
    }
}

/// Reads the parameters of a GET.
fn from_query(query: &str) -> Result<Operation, Fault> {
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

/// Reads the parameters of a POST.
async fn from_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Operation, Fault> {
    if !is_json(headers) {
        let message = "Content-Type must be application/json, in UTF-8.";
        return Err(Fault::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = read(body, limit).await?;
    let message = "The body must be one JSON object: `query` a string, `operationName` a string, \
                   `variables` and `extensions` objects.";
    // A list would be read as the fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Fault::bad(message));
    }
    parse_json::<Parameters>(&body, message)?.try_into()
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Fault> {
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("The body has more than {limit} bytes.");
            Err(Fault::http(StatusCode::PAYLOAD_TOO_LARGE, &message))
        }
        Ok(Err(_)) => Err(Fault::bad("The body broke off.")),
        Err(_) => Err(Fault::http(StatusCode::REQUEST_TIMEOUT, "The body took too long to arrive.")),
    }
}

fn parse_json<T: for<'de> Deserialize<'de>>(text: &[u8], message: &str) -> Result<T, Fault> {
    let nesting = json_nesting(text);
    if nesting > MAX_JSON_NESTING {
        let message = format!("JSON nesting is {nesting}; the limit is {MAX_JSON_NESTING}.");
        let error = request_error(ErrorCode::QueryTooComplex, message);
        return Err(Fault { status: None, error: Box::new(error) });
    }
    // The parser's own message would quote what it found.
    serde_json::from_slice(text).map_err(|_| Fault::bad(message))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(content_type)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_utf8 = |parameter: String| match parameter.strip_prefix("charset=") {
        Some(charset) => matches!(charset.trim_matches('"'), "utf-8" | "utf8"),
        None => true,
    };
    parts.next().as_deref() == Some("application/json") && parts.all(is_utf8)
}

/// The token of the one Authorization header. Another scheme than Bearer is as good as none.
fn credential(headers: &HeaderMap) -> Result<Credential, Fault> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, another) = (values.next(), values.next());
    if another.is_some() {
        return Err(Fault::bad("Send one Authorization header."));
    }
    let value = value.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let bearer = value.as_deref().map(str::trim).and_then(|value| {
        let (scheme, token) = value.split_once([' ', '\t']).unwrap_or((value, ""));
        scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
    });
    Ok(bearer.map_or(Credential::None, |token| Credential::Bearer(token.into())))
}
