//! Requests to the routes of documents, and the documents that the tests send.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;

use crate::support::{Actor, TestApp, Value, code, json};

/// A list with three tasks.
pub const LIST: &str = "# Tasks: Harbour map\n\n## Phase 1: Setup\n\n- [x] T001 Create the project\n\
                        - [ ] T002 [P] Add the linter\n- [ ] T003 Draw ships\n";
/// A task document.
pub const TASK: &str = "# TASK: Draw ships\n\n**Status**: In Progress\n\n## 1. Objective\n\nShips are visible.\n\n\
                        ## 4. Implementation Plan / Action Items\n\n- [ ] Draw a hull\n";
/// The headers of a request with a document.
pub const MARKDOWN: [(&str, &str); 1] = [("content-type", "text/markdown")];
/// The paths below which the documents of both kinds are, each with a document.
pub const KINDS: [(&str, &str); 2] = [("/lists", LIST), ("/tasks", TASK)];

/// A response of a route.
#[derive(Debug)]
pub struct RouteResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl RouteResponse {
    /// A header as text; empty if the response does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The entity tag, which consists of 32 hexadecimal digits in quotes.
    pub fn tag(&self) -> String {
        let tag = self.header("etag");
        let digits = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or_default();
        assert!(digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{tag}");
        tag.to_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("the body is not JSON: {self:?}"))
    }

    /// The names of the fields of the body.
    pub fn fields(&self) -> Vec<String> {
        self.json().as_object().expect("an object").keys().cloned().collect()
    }

    /// The error of a response that has this status and this code.
    pub fn error(&self, (status, expected): (u16, &str)) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8");
        let body = self.json();
        assert_eq!(
            (self.fields(), body["errors"].as_array().map(Vec::len)),
            (vec!["errors".to_owned()], Some(1))
        );
        let error = body["errors"][0].clone();
        assert_eq!(
            (code(&error).as_str(), &error["extensions"]["status"]),
            (expected, &json!(status)),
            "{error:#}"
        );
        assert_eq!(error["extensions"]["requestId"], self.header("x-request-id"), "{error:#}");
        assert!(
            error["message"].as_str().is_some_and(|message| message.ends_with('.') || status == 401),
            "{error:#}"
        );
        error
    }
}

/// Sends a request. The token of an anonymous client is empty and is not sent.
pub async fn send(
    app: &TestApp,
    actor: &Actor<'_>,
    (method, uri): (&str, &str),
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> RouteResponse {
    let mut request = Request::builder().method(method).uri(uri);
    if !actor.token().is_empty() {
        request = request.header("authorization", format!("Bearer {}", actor.token()));
    }
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(Body::from(body.into())).expect("a valid request");
    let (parts, body) = app.send(request).await.into_parts();
    let body = body.collect().await.expect("the body is complete").to_bytes().to_vec();
    RouteResponse { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// Imports a document, and returns its path.
pub async fn import(app: &TestApp, actor: &Actor<'_>, path: &str, document: &str) -> String {
    let response = send(app, actor, ("POST", path), &MARKDOWN, document).await;
    assert_eq!(response.status, StatusCode::CREATED.as_u16(), "{}", String::from_utf8_lossy(&response.body));
    response.header("location").to_owned()
}

/// Reads a document, which must exist.
pub async fn read(app: &TestApp, actor: &Actor<'_>, path: &str) -> RouteResponse {
    let response = send(app, actor, ("GET", path), &[], "").await;
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    response
}

/// Sends a document with a condition, or without one.
pub async fn put(
    app: &TestApp,
    actor: &Actor<'_>,
    path: &str,
    condition: Option<(&str, &str)>,
    document: impl Into<Vec<u8>>,
) -> RouteResponse {
    let headers: Vec<_> = MARKDOWN.into_iter().chain(condition).collect();
    send(app, actor, ("PUT", path), &headers, document).await
}

/// The id in a path.
pub fn id_of(path: &str) -> &str {
    path.rsplit('/').next().and_then(|file| file.strip_suffix(".md")).expect("the path of a document")
}

/// The id of the task of a list with this key.
pub async fn task_with_key(actor: &Actor<'_>, list: &str, key: &str) -> String {
    let query = "query($list: ID!, $key: [String!]) {
        tasks(filter: { listId: $list, key: $key }) { nodes { id } } }";
    let data = actor.data(query, json!({ "list": id_of(list), "key": [key] })).await;
    data["tasks"]["nodes"][0]["id"].as_str().expect("an id").to_owned()
}

/// Completes the task of a list with this key.
pub async fn complete(actor: &Actor<'_>, list: &str, key: &str) {
    let id = task_with_key(actor, list, key).await;
    actor.data("mutation($id: ID!) { completeTask(id: $id) { task { id } } }", json!({ "id": id })).await;
}

/// Gives the task of a list with this key another title.
pub async fn rename(actor: &Actor<'_>, list: &str, key: &str, title: &str) {
    let query = "mutation($id: ID!, $title: String!) {
        updateTask(id: $id, input: { title: $title }) { task { id } } }";
    let id = task_with_key(actor, list, key).await;
    actor.data(query, json!({ "id": id, "title": title })).await;
}
