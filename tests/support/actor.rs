//! The people who use the service: each asks with a token, or without.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{PASSWORD, TestApp};

/// Somebody who asks.
#[derive(Clone)]
pub struct Actor<'a> {
    app: &'a TestApp,
    token: Option<String>,
    /// The user's id; empty for nobody.
    pub id: String,
    pub email: String,
    pub refresh_token: String,
}

impl<'a> Actor<'a> {
    pub(super) fn new(app: &'a TestApp, token: Option<String>) -> Self {
        Self { app, token, id: String::new(), email: String::new(), refresh_token: String::new() }
    }

    pub(super) async fn register(app: &'a TestApp, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let query = "mutation($input: RegisterInput!) { register(input: $input) { accessToken refreshToken user { id } } }";
        let input = json!({ "input": { "email": email, "password": PASSWORD, "username": name } });
        let data = Self::new(app, None).data(query, input).await;
        let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
        let (token, id) = (text("/register/accessToken"), text("/register/user/id"));
        let refresh_token = text("/register/refreshToken");
        Self { app, token: Some(token), id, email, refresh_token }
    }

    /// The user's token; empty for nobody.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The id of the session that the token belongs to.
    pub fn session(&self) -> String {
        self.claims()["sid"].as_str().unwrap_or_default().to_owned()
    }

    /// What the token says; null for nobody.
    pub fn claims(&self) -> Value {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
        let payload = self.token().split('.').nth(1).unwrap_or_default();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Posts an operation.
    pub async fn ask(&self, query: &str, variables: Value) -> Answer {
        self.post(json!({ "query": query, "variables": variables })).await
    }

    /// Posts a request of any kind.
    pub async fn post(&self, body: Value) -> Answer {
        let body = body.to_string();
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        Answer::of(self.app, request.body(Body::from(body)).expect("a valid request")).await
    }

    /// The data of an operation that has to succeed.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let answer = self.ask(query, variables).await;
        assert!(answer.body.get("errors").is_none(), "{query} failed: {:#}", answer.body);
        answer.body["data"].clone()
    }

    /// The one error of an operation that has to fail.
    pub async fn error(&self, query: &str, variables: Value) -> Value {
        self.ask(query, variables).await.error()
    }

    /// A task with this title.
    pub async fn task(&self, title: &str) -> String {
        self.create(json!({ "title": title })).await["id"].as_str().expect("an id").to_owned()
    }

    /// A task made from an input, with all of its fields.
    pub async fn create(&self, input: Value) -> Value {
        let query = format!(
            "mutation($input: CreateTaskInput!) {{ createTask(input: $input) {{ task {{ {TASK} }} }} }}"
        );
        self.data(&query, json!({ "input": input })).await["createTask"]["task"].clone()
    }

    /// One of the user's tasks, with all of its fields.
    pub async fn read(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ task(id: $id) {{ {TASK} }} }}");
        self.data(&query, json!({ "id": id })).await["task"].clone()
    }
}

/// Every field of a task.
pub const TASK: &str = "id owner { id } title description status completed priority labels dueAt completedAt \
                        createdAt updatedAt deletedAt version date ownerLabel objective rationale";

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// Sends a request and reads its JSON; other bodies are null.
    pub async fn of(app: &TestApp, request: Request<Body>) -> Self {
        let (parts, body) = app.send(request).await.into_parts();
        let bytes = body.collect().await.expect("the body is whole").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The only error.
    pub fn error(&self) -> Value {
        let errors = self.body["errors"].as_array().expect("an operation that has to fail succeeded");
        assert_eq!(errors.len(), 1, "one error was expected: {:#}", self.body);
        errors[0].clone()
    }

    /// The code of the only error.
    pub fn code(&self) -> String {
        code(&self.error())
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The code of an error.
pub fn code(error: &Value) -> String {
    error["extensions"]["code"].as_str().expect("every error has a code").to_owned()
}

/// The faults of an error: `input.title required`.
pub fn faults(error: &Value) -> Vec<String> {
    let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
    let fault = |fault: &Value| {
        let path: Vec<String> = fault["path"].as_array().expect("a path").iter().map(step).collect();
        format!("{} {}", path.join("."), fault["rule"].as_str().expect("a rule"))
    };
    let fields = error["extensions"]["fields"].as_array();
    fields.map(|fields| fields.iter().map(fault).collect()).unwrap_or_default()
}
