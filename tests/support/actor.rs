//! Clients of the in-process service: each sends its requests with a token or without one.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{PASSWORD, TestApp};

/// A client of the service, with an access token or anonymous.
#[derive(Clone)]
pub struct Actor<'a> {
    app: &'a TestApp,
    token: Option<String>,
    /// The id of the user; empty for an anonymous client.
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

    /// The access token; empty for an anonymous client.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The id of the session that the token belongs to.
    pub fn session_id(&self) -> String {
        self.claims()["sid"].as_str().unwrap_or_default().to_owned()
    }

    /// The claims of the token; null for an anonymous client.
    pub fn claims(&self) -> Value {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
        let payload = self.token().split('.').nth(1).unwrap_or_default();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Executes an operation by POST.
    pub async fn execute(&self, query: &str, variables: Value) -> GraphqlResponse {
        self.post(json!({ "query": query, "variables": variables })).await
    }

    /// Posts any JSON body.
    pub async fn post(&self, body: Value) -> GraphqlResponse {
        let body = body.to_string();
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        GraphqlResponse::of(self.app, request.body(Body::from(body)).expect("a valid request")).await
    }

    /// Executes an operation that must succeed, and returns its `data`.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let response = self.execute(query, variables).await;
        assert!(response.body.get("errors").is_none(), "{query} failed: {:#}", response.body);
        response.body["data"].clone()
    }

    /// Executes an operation that must fail with one error, and returns the error.
    pub async fn error(&self, query: &str, variables: Value) -> Value {
        self.execute(query, variables).await.error()
    }

    /// Creates an API key with these scopes. Returns a client that uses the key, and the key's id.
    pub async fn api_key(&self, scopes: &[&str]) -> (Self, String) {
        let query =
            "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { token apiKey { id } } }";
        let input = json!({ "name": format!("a key of {}", self.email), "scopes": scopes, "currentPassword": PASSWORD });
        let created = self.data(query, json!({ "input": input })).await["createApiKey"].clone();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (Self { token: Some(text(&created["token"])), ..self.clone() }, text(&created["apiKey"]["id"]))
    }

    /// Creates a task with this title and returns its id.
    pub async fn task(&self, title: &str) -> String {
        self.create(json!({ "title": title })).await["id"].as_str().expect("an id").to_owned()
    }

    /// Creates a task from an input and returns it with the fields [`TASK`].
    pub async fn create(&self, input: Value) -> Value {
        let query = format!(
            "mutation($input: CreateTaskInput!) {{ createTask(input: $input) {{ task {{ {TASK} }} }} }}"
        );
        self.data(&query, json!({ "input": input })).await["createTask"]["task"].clone()
    }

    /// Creates a task with a checklist item, a risk and a file, each with this text, and a task list without tasks
    /// with this title. Returns the ids as `id`, `item`, `risk`, `file` and `list`.
    pub async fn full_task(&self, text: &str) -> Value {
        let query = "mutation($input: CreateTaskInput!) { createTask(input: $input) {
            task { id checklist { id } risks { id } files { id } } } }";
        let input = json!({
            "title": text,
            "checklist": [{ "section": "ACTION", "text": text }],
            "risks": [{ "description": text, "likelihood": "LOW", "impact": "HIGH" }],
            "files": [{ "path": text, "kind": "CREATED" }],
        });
        let task = self.data(query, json!({ "input": input })).await["createTask"]["task"].clone();
        let import =
            "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { id } } }";
        let list = self.data(import, json!({ "input": { "markdown": format!("# {text}\n") } })).await;
        let list = &list["importTaskList"]["taskList"]["id"];
        let first = |list: &str| task[list][0]["id"].clone();
        json!({
            "id": task["id"], "item": first("checklist"), "risk": first("risks"), "file": first("files"), "list": list,
        })
    }

    /// Creates what [`Self::full_task`] creates, another task, and a list of three parallel tasks, of which the first
    /// two have live claims of a worker with the name `text`. Returns the further ids as `other`, `open`, `claim` and
    /// `released`.
    pub async fn things(&self, text: &str) -> Value {
        let mut things = self.full_task(text).await;
        things["other"] = json!(self.task(text).await);
        let import =
            "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { id } } }";
        let markdown = format!("# {text}\n\n- [ ] T001 [P] one\n- [ ] T002 [P] two\n- [ ] T003 [P] three\n");
        let list = self.data(import, json!({ "input": { "markdown": markdown } })).await;
        things["open"] = list["importTaskList"]["taskList"]["id"].clone();
        let claim = "mutation($input: ClaimNextTaskInput!) { claimNextTask(input: $input) { claim { id } } }";
        for name in ["claim", "released"] {
            let input = json!({ "listId": things["open"], "worker": text });
            things[name] =
                self.data(claim, json!({ "input": input })).await["claimNextTask"]["claim"]["id"].clone();
        }
        things
    }

    /// Reads a task of the user with the fields [`TASK`].
    pub async fn read(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ task(id: $id) {{ {TASK} }} }}");
        self.data(&query, json!({ "id": id })).await["task"].clone()
    }
}

/// The scalar fields of a task and its owner's id, as a selection.
pub const TASK: &str = "id owner { id } title description status completed priority labels dueAt completedAt \
                        createdAt updatedAt deletedAt version date ownerLabel objective rationale";

/// A response of the in-process service.
#[derive(Debug)]
pub struct GraphqlResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl GraphqlResponse {
    /// Sends a request and parses the body as JSON; a body that is not JSON becomes null.
    pub async fn of(app: &TestApp, request: Request<Body>) -> Self {
        let (parts, body) = app.send(request).await.into_parts();
        let bytes = body.collect().await.expect("the body is complete").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The only error in the response.
    pub fn error(&self) -> Value {
        let errors = self.body["errors"].as_array().expect("the operation must fail");
        assert_eq!(errors.len(), 1, "one error was expected: {:#}", self.body);
        errors[0].clone()
    }

    /// The code of the only error in the response.
    pub fn code(&self) -> String {
        code(&self.error())
    }

    /// A header as text; empty if the response does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The code of an error.
pub fn code(error: &Value) -> String {
    error["extensions"]["code"].as_str().expect("every error has a code").to_owned()
}

/// The faults listed in an error, each as its path and rule: `input.title required`.
pub fn faults(error: &Value) -> Vec<String> {
    let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
    let fault = |fault: &Value| {
        let path: Vec<String> = fault["path"].as_array().expect("a path").iter().map(step).collect();
        format!("{} {}", path.join("."), fault["rule"].as_str().expect("a rule"))
    };
    let fields = error["extensions"]["fields"].as_array();
    fields.map(|fields| fields.iter().map(fault).collect()).unwrap_or_default()
}
