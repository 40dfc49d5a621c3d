//! The routes that carry documents of tasks and of task lists as bytes, without JSON around them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::api::{Conditions, DocumentExport, DocumentKind, DocumentReport, DocumentRequest, Right};
use crate::auth::Credential;
use crate::graphql::{code_name, finalize_errors};
use crate::http::client_ip::{Peer, client};
use crate::http::entity_tags::{conditions, entity_tag};
use crate::http::graphql::request::{credential, read_body};
use crate::http::graphql::request_body::ReadBody;
use crate::http::graphql::request_error::{RequestError, status_of};
use crate::http::graphql::response::rejection_headers;
use crate::http::graphql::response_body;
use crate::http::graphql::response_format::{ResponseFormat, name_content_codings, not_stored};
use crate::http::request_log::{RequestId, ResponseInfo};
use crate::http::shared::Shared;

/// The media types of a document that is sent.
const MEDIA_TYPES: [&str; 2] = ["text/markdown", "text/plain"];

/// The routes for both kinds of documents.
pub(super) fn routes() -> Router<Arc<Shared>> {
    let kinds = [("/lists", DocumentKind::TaskList), ("/tasks", DocumentKind::Task)];
    kinds.into_iter().fold(Router::new(), |routes, (path, kind)| {
        let handler =
            move |State(shared): State<Arc<Shared>>, request: Request| respond(shared, kind, request);
        routes.route(path, post(handler)).route(&format!("{path}/{{file}}"), get(handler).put(handler))
    })
}

/// Responds to a request about a document.
async fn respond(shared: Arc<Shared>, kind: DocumentKind, request: Request) -> Response {
    let RequestId(request_id) = RequestId::in_extensions(request.extensions());
    let (parts, body) = request.into_parts();
    let credential = match credential(&parts.headers) {
        Ok(credential) => credential,
        Err(error) => return not_stored(error.respond(ResponseFormat::Json, &request_id)),
    };
    let client = client(parts.extensions.get::<Peer>().copied(), &parts.headers, &shared.trusted_proxies);
    let address = client.counted_address();
    let documents = shared.api.document_request(kind, credential.clone(), client);
    let exchange = Exchange { shared: &shared, documents, parts: &parts, address };
    let (code, response) = match exchange.execute(body).await {
        Ok(response) => (None, response),
        Err(error) => exchange.refuse(error, &credential, &request_id),
    };
    let mut response = not_stored(response);
    name_content_codings(&mut response, &parts.headers);
    let viewer = exchange.documents.viewer().cloned();
    response.extensions_mut().insert(ResponseInfo { code, operation: None, viewer });
    response
}

/// One request without its body.
struct Exchange<'a> {
    shared: &'a Shared,
    documents: DocumentRequest,
    parts: &'a Parts,
    address: IpAddr,
}

impl Exchange<'_> {
    async fn execute(&self, body: Body) -> Result<Response, RequestError> {
        match self.parts.method {
            Method::POST => self.import(body).await,
            Method::PUT => self.replace(self.id()?, body).await,
            _ => self.export(self.id()?).await,
        }
    }

    /// The id in the path. Errors: NOT_FOUND when the path does not end in `.md`.
    fn id(&self) -> Result<&str, RequestError> {
        let file = self.parts.uri.path().rsplit('/').next();
        file.and_then(|file| file.strip_suffix(".md")).ok_or_else(RequestError::unknown_path)
    }

    async fn import(&self, body: Body) -> Result<Response, RequestError> {
        self.documents.authorize(Right::Change).await?;
        // The permit counts the memory of the document until the response has been built.
        let ReadBody { bytes, permit: _permit } = self.read(body).await?;
        let report = self.documents.import(bytes).await?;
        let location = format!("{}/{}.md", self.parts.uri.path(), report.id);
        let mut response = self.report(&report)?;
        *response.status_mut() = StatusCode::CREATED;
        let location = HeaderValue::try_from(location).expect("the path is one of the routes");
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }

    async fn export(&self, id: &str) -> Result<Response, RequestError> {
        self.documents.authorize(Right::Read).await?;
        let Conditions { required, excluded } = conditions(&self.parts.headers);
        let DocumentExport { markdown, revision } = self.documents.export(id, required).await?;
        let headers = [
            (header::ETAG, entity_tag(&revision)),
            (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        ];
        if excluded.is_some_and(|excluded| excluded.contains(&revision)) {
            let mut response = (StatusCode::NOT_MODIFIED, headers).into_response();
            if self.parts.method == Method::HEAD {
                // Otherwise the length would be 0, which is not that of the document (RFC 9110, 8.6).
                response.headers_mut().insert(header::CONTENT_LENGTH, markdown.len().into());
            }
            return Ok(response);
        }
        let media_type = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
        Ok((headers, media_type, self.counted(markdown.into_bytes())?).into_response())
    }

    async fn replace(&self, id: &str, body: Body) -> Result<Response, RequestError> {
        self.documents.authorize(Right::Change).await?;
        let conditions = conditions(&self.parts.headers);
        if self.documents.needs_condition() && conditions.required.is_none() {
            let message = "Send If-Match with the ETag of the document that you have changed.";
            return Err(RequestError::http(StatusCode::PRECONDITION_REQUIRED, message));
        }
        let query = self.parts.uri.query().unwrap_or_default();
        let parameters = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "conflicts");
        let sides: Vec<_> = parameters.map(|(_, value)| value).collect();
        // Several values together are none of the possible ones.
        let side = (!sides.is_empty()).then(|| sides.join(","));
        let replacement = self.documents.replacement(id, side.as_deref(), conditions)?;
        let ReadBody { bytes, permit: _permit } = self.read(body).await?;
        self.report(&self.documents.replace(replacement, bytes).await?)
    }

    async fn read(&self, body: Body) -> Result<ReadBody, RequestError> {
        let (headers, limit) = (&self.parts.headers, self.documents.max_bytes());
        read_body(self.shared, headers, &MEDIA_TYPES, body, limit, self.address).await
    }

    /// The response that reports what became of a document.
    fn report(&self, report: &DocumentReport) -> Result<Response, RequestError> {
        let text = serde_json::to_vec(report).expect("a report is written into memory");
        let headers = [
            (header::ETAG, entity_tag(&report.revision)),
            (header::CONTENT_TYPE, ResponseFormat::Json.content_type()),
        ];
        Ok((headers, self.counted(text)?).into_response())
    }

    /// A body whose memory is counted until it has been sent.
    fn counted(&self, text: Vec<u8>) -> Result<Body, RequestError> {
        response_body::body(vec![Bytes::from(text)], self.documents.share())
            .ok_or_else(RequestError::no_response_memory)
    }

    /// The code of an error, and the response with it.
    fn refuse(
        &self,
        error: RequestError,
        credential: &Credential,
        request_id: &str,
    ) -> (Option<&'static str>, Response) {
        let mut refused = async_graphql::Response::from_errors(vec![error.into_error(request_id)]);
        finalize_errors(&mut refused, request_id, false);
        let errors = refused.errors;
        let code = errors.first().and_then(code_name);
        let status = errors.first().map_or(StatusCode::INTERNAL_SERVER_ERROR, status_of);
        let media_type = [(header::CONTENT_TYPE, ResponseFormat::Json.content_type())];
        let headers = rejection_headers(&errors, credential);
        let text = serde_json::json!({ "errors": errors }).to_string();
        let response = match self.counted(text.into_bytes()) {
            Ok(body) => (status, headers, media_type, body).into_response(),
            Err(error) => error.respond(ResponseFormat::Json, request_id),
        };
        (code, response)
    }
}
