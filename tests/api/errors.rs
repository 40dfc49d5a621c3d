//! The format of errors: the same for every cause, without values from the request or internals of the
//! server.

use axum::body::Body;
use axum::http::{Method, Request, header};

use crate::support::{GraphqlResponse, TestApp, Value, code, json, on_both_databases};

/// Each error code with its HTTP status and whether it is retryable.
const CODES: [(&str, u16, bool); 14] = [
    ("UNAUTHENTICATED", 401, false),
    ("INVALID_CREDENTIALS", 401, false),
    ("FORBIDDEN", 403, false),
    ("NOT_FOUND", 404, false),
    ("CONFLICT", 409, false),
    ("BAD_USER_INPUT", 400, false),
    ("CURSOR_EXPIRED", 410, false),
    ("RATE_LIMITED", 429, true),
    ("QUERY_TOO_COMPLEX", 400, false),
    ("BAD_REQUEST", 400, false),
    ("PERSISTED_QUERY_NOT_FOUND", 200, true),
    ("TIMEOUT", 504, true),
    ("SERVICE_UNAVAILABLE", 503, true),
    ("INTERNAL_SERVER_ERROR", 500, true),
];
const RULES: [&str; 11] = [
    "required",
    "too_short",
    "too_long",
    "too_many",
    "out_of_range",
    "invalid",
    "weak",
    "mismatch",
    "taken",
    "duplicate",
    "conflicting",
];
/// Internals that must not occur in responses: SQL, paths, and names from the source code.
const INTERNALS: [&str; 12] = [
    "select ",
    "insert ",
    "update ",
    "sqlite",
    "postgres",
    "relation",
    "no such table",
    "::",
    "option<",
    ".rs",
    "async_graphql",
    "sea_orm",
];
/// A marker in requests in place of a secret.
const CANARY: &str = "CANARY";

/// The errors of a response, after a check that each has the documented format.
fn errors(response: &GraphqlResponse) -> Vec<Value> {
    let errors =
        response.body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {:#}", response.body));
    assert!((1..=20).contains(&errors.len()), "{} errors", errors.len());
    for error in errors {
        let (extensions, code) = (&error["extensions"], code(error));
        let row = CODES
            .iter()
            .find(|row| row.0 == code)
            .unwrap_or_else(|| panic!("{code} is not a documented code"));
        // BAD_REQUEST may have another HTTP status such as 405 or 415.
        let status = if code == "BAD_REQUEST" { extensions["status"].clone() } else { json!(row.1) };
        assert!(extensions["status"].is_u64() && extensions["status"] == status, "{error:#}");
        assert_eq!(extensions["requestId"], response.header("x-request-id"), "{error:#}");
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 5), "{error:#}");
        assert_eq!(code == "BAD_USER_INPUT", extensions["fields"].is_array(), "{error:#}");
        for fault in extensions["fields"].as_array().into_iter().flatten() {
            let path = fault["path"].as_array().expect("a path");
            assert!(!path.is_empty() && path.iter().all(|step| step.is_string() || step.is_u64()), "{fault}");
            assert!(fault["message"].is_string(), "{fault}");
            assert!(fault["rule"].as_str().is_some_and(|rule| RULES.contains(&rule)), "{fault}");
        }
    }
    let text = response.body.to_string().to_lowercase();
    let leaked: Vec<_> = INTERNALS.iter().filter(|word| text.contains(**word)).collect();
    assert!(leaked.is_empty(), "{leaked:?} in {:#}", response.body);
    errors.clone()
}

fn request(method: Method, uri: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(uri).header(header::CONTENT_TYPE, content_type);
    request.body(body.into()).expect("a valid request")
}

/// Posts a body and accepts `application/graphql-response+json`.
async fn post(app: &TestApp, body: impl Into<Body>) -> GraphqlResponse {
    let mut request = request(Method::POST, "/graphql", "application/json", body);
    let newer = "application/graphql-response+json".parse().expect("a header's value");
    request.headers_mut().insert(header::ACCEPT, newer);
    GraphqlResponse::of(app, request).await
}

on_both_databases! {
    async fn errors_before_execution_have_the_standard_format(app) {
        let node = "query($id: ID!) { node(id: $id) { id } }";
        for (body, expected) in [
            (json!({ "query": "{" }), "BAD_REQUEST"),
            (json!({ "query": "" }), "BAD_REQUEST"),
            (json!({}), "BAD_REQUEST"),
            (json!({ "query": "{ serverInfo { nope } }" }), "BAD_REQUEST"),
            (json!({ "query": "{ serverInfo }" }), "BAD_REQUEST"),
            (json!({ "query": "{ serverInfo { version { x } } }" }), "BAD_REQUEST"),
            (json!({ "query": "{ task { id } }" }), "BAD_REQUEST"),
            (json!({ "query": "{ task(id: \"x\", nope: 1) { id } }" }), "BAD_REQUEST"),
            (json!({ "query": "{ task(id: $id) { id } }" }), "BAD_REQUEST"),
            (json!({ "query": "{ ...F }" }), "BAD_REQUEST"),
            (json!({ "query": "{ me @nope { id } }" }), "BAD_REQUEST"),
            (json!({ "query": "subscription { x }" }), "BAD_REQUEST"),
            (json!({ "query": "query($id: Nope) { node(id: $id) { id } }" }), "BAD_REQUEST"),
            (json!({ "query": "query($x: Int) { me { id } }" }), "BAD_REQUEST"),
            (json!({ "query": "query A { me { id } }", "operationName": "B" }), "BAD_REQUEST"),
            (json!({ "query": "{ me { id } }", "operationName": "B" }), "BAD_REQUEST"),
            (json!({ "query": "query A { me { id } } query B { me { id } }" }), "BAD_REQUEST"),
            (json!({ "query": "query A { me { id } } query A { me { id } }" }), "BAD_REQUEST"),
            (json!({ "query": node }), "BAD_USER_INPUT"),
            (json!({ "query": node, "variables": { "id": null } }), "BAD_USER_INPUT"),
            (json!({ "query": node, "variables": { "id": {} } }), "BAD_USER_INPUT"),
            (json!({ "query": "{ node(id: true) { id } }" }), "BAD_USER_INPUT"),
            (json!({ "query": "{ __type(name: 5) { name } }" }), "BAD_USER_INPUT"),
            (json!({ "query": "{".repeat(33) }), "QUERY_TOO_COMPLEX"),
        ] {
            let response = post(app, body.to_string()).await;
            let codes: Vec<String> = errors(&response).iter().map(code).collect();
            assert!(codes.iter().all(|code| code == expected), "{body}: {codes:?}");
            assert_eq!((response.status.as_u16(), response.body.get("data")), (400, None), "{body}");
            let plain = app.anonymous().post(body.clone()).await;
            errors(&plain);
            assert_eq!(plain.body.get("data"), None, "{body}");
        }
    }

    async fn http_errors_have_the_standard_format(app) {
        let good = json!({ "query": "{ __typename }" }).to_string();
        let json = "application/json";
        for (request, status, expected) in [
            (request(Method::GET, "/nowhere", json, ""), 404, "NOT_FOUND"),
            (request(Method::PUT, "/graphql", json, good.clone()), 405, "BAD_REQUEST"),
            (request(Method::POST, "/graphql", "text/plain", good.clone()), 415, "BAD_REQUEST"),
            (request(Method::POST, "/graphql", json, "{"), 400, "BAD_REQUEST"),
            (request(Method::POST, "/graphql", json, format!("[{good}]")), 400, "BAD_REQUEST"),
            (request(Method::POST, "/graphql", json, "{\"query\": 5}"), 400, "BAD_REQUEST"),
            (request(Method::GET, "/graphql", json, ""), 400, "BAD_REQUEST"),
            (request(Method::GET, "/graphql?query=%7B__typename%7D&variables=5", json, ""), 400, "BAD_REQUEST"),
        ] {
            let shown = format!("{request:?}");
            let response = GraphqlResponse::of(app, request).await;
            assert_eq!((response.status.as_u16(), code(&errors(&response)[0]).as_str()), (status, expected), "{shown}");
        }
    }

    async fn execution_errors_have_path_and_location(app) {
        let ann = app.user("ann").await;
        let response = ann.execute("{\n  mine: task(id: \"x\") { id }\n}", json!({})).await;
        let error = errors(&response).remove(0);
        assert_eq!((&error["path"], &error["locations"]), (&json!(["mine"]), &json!([{ "line": 2, "column": 3 }])));
        assert_eq!((response.status.as_u16(), &response.body["data"]), (200, &json!({ "mine": null })));
        let syntax = errors(&ann.execute("{\n  me { id }} }", json!({})).await).remove(0);
        assert_eq!(syntax["locations"], json!([{ "line": 2, "column": 14 }]));
    }

    async fn a_response_has_at_most_twenty_errors(app) {
        let fields: String = (0..200).map(|n| format!("u{n} ")).collect();
        let response = app.anonymous().execute(&format!("{{ serverInfo {{ {fields} }} }}"), json!({})).await;
        assert_eq!(errors(&response).len(), 20);
    }

    async fn errors_do_not_repeat_values_from_the_document(app) {
        let ann = app.user("ann").await;
        for query in [
            "mutation { login(input: { usernameOrEmail: \"ann\", password: \"CANARY\" ",
            "mutation { login(input: { usernameOrEmail: \"ann\", password: \"CANARY\" }}) { tokenType } }",
            "mutation { login(input: { usernameOrEmail: \"ann\", password: \"CANARY",
            "{ task(id: \"\"\"CANARY\"\" ) { id } }",
            "{ me { id } } CANARY",
            "{ task(id: \"CANARY\") { id } }",
            "{ task(id: [\"CANARY\"]) { id } }",
            "{ tasks(first: \"CANARY\") { totalCount } }",
            "{ tasks(after: \"CANARY\") { totalCount } }",
            "{ tasks(filter: \"CANARY\") { totalCount } }",
            "{ tasks(filter: { status: CANARY }) { totalCount } }",
            "{ tasks(filter: { status: [PENDING, \"CANARY\"], completed: \"CANARY\" }) { totalCount } }",
            "{ tasks(filter: { dueAt: { from: \"CANARY\" } }) { totalCount } }",
            "{ me @include(if: \"CANARY\") { id } }",
            "{ me @include(if: CANARY) { id } }",
            "{ __type(name: CANARY) { name } }",
            "query($x: [TaskStatus!] = [CANARY]) { tasks(filter: { status: $x }) { totalCount } }",
            "query A { serverInfo { nope } } query B($x: TaskStatus = CANARY) { tasks(filter: { status: [$x] }) { totalCount } }",
            "query A { serverInfo { nope } } query B { tasks(filter: { status: CANARY }) { totalCount } }",
            "mutation { login(input: { usernameOrEmail: \"ann\", password: \"CANARY\" }) { tokenType } }",
            "mutation { register(input: { email: \"CANARY\", password: \"CANARY\", username: \"CANARY!\" }) { tokenType } }",
            "mutation { updateProfile(input: { username: \"CANARY!\", name: \"CANARY\\u0000\" }) { user { id } } }",
            "mutation { createTask(input: { title: \"CANARY\\u0000\", description: 5 }) { task { id } } }",
            "mutation { createTask(input: \"CANARY\") { task { id } } }",
        ] {
            let name = if query.starts_with("query A") { "A" } else { "" };
            let response = ann.post(json!({ "query": query, "operationName": name })).await;
            errors(&response);
            assert!(!response.body.to_string().contains(CANARY), "{query}: {:#}", response.body);
        }
    }

    async fn errors_do_not_repeat_variables_or_malformed_bodies(app) {
        let ann = app.user("ann").await;
        for (ty, field, value) in [
            ("Int", "tasks(first: $x) { totalCount }", json!(CANARY)),
            ("Int", "tasks(first: $x) { totalCount }", json!([CANARY])),
            ("String", "tasks(after: $x) { totalCount }", json!([CANARY])),
            ("TaskFilter", "tasks(filter: $x) { totalCount }", json!(CANARY)),
            ("TaskFilter", "tasks(filter: $x) { totalCount }", json!({ "status": CANARY, "completed": CANARY })),
            ("DateTime", "tasks(filter: { dueAt: { from: $x } }) { totalCount }", json!(CANARY)),
            ("Boolean!", "me @skip(if: $x) { id }", json!(CANARY)),
            ("ID!", "task(id: $x) { id }", json!(CANARY)),
            ("ID!", "task(id: $x) { id }", json!({ "a": CANARY })),
            ("String!", "__type(name: $x) { name }", json!([CANARY])),
        ] {
            let query = format!("query($x: {ty}) {{ {field} }}");
            let response = ann.execute(&query, json!({ "x": value })).await;
            errors(&response);
            assert!(!response.body.to_string().contains(CANARY), "{query} {value}: {:#}", response.body);
        }
        for body in [
            "{ \"query\": \"CANARY", "CANARY", "{ \"CANARY\" }", "{ \"query\": [\"CANARY\"] }",
            "{ \"query\": \"{ me { id } }\", \"variables\": \"CANARY\" }",
            "{ \"query\": \"{ me { id } }\", \"operationName\": \"CANARY\" }",
            "{ \"query\": \"query A { me { id } }\", \"operationName\": \"CANARY\" }",
        ] {
            let response = post(app, body).await;
            errors(&response);
            assert!(!response.body.to_string().contains(CANARY), "{body}: {:#}", response.body);
        }
    }

    async fn internal_errors_are_reported_without_their_cause(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        app.execute_sql("ALTER TABLE tasks RENAME TO gone").await;
        for query in [
            "query($id: ID!) { task(id: $id) { id } }",
            "query($id: ID!) { node(id: $id) { id } me { id } }",
            "query($id: ID!) { nodes(ids: [$id]) { id } }",
            "{ tasks { totalCount } }",
            "{ tasks(orderBy: { field: TITLE }) { nodes { id } } }",
            "mutation { createTask(input: { title: \"x\" }) { task { id } } }",
            "mutation($id: ID!) { updateTask(id: $id, input: { title: \"x\" }) { task { id } } }",
            "mutation($id: ID!) { toggleTask(id: $id) { task { id } } }",
            "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }",
        ] {
            let response = ann.execute(query, json!({ "id": id })).await;
            let error = errors(&response).remove(0);
            assert_eq!(code(&error), "INTERNAL_SERVER_ERROR", "{query}");
            assert_eq!(error["message"], "Internal error. Quote the request id when you report it.");
            assert_eq!(error["extensions"].as_object().map(serde_json::Map::len), Some(3), "{error:#}");
        }
        assert_eq!(ann.data("{ me { name } }", json!({})).await["me"]["name"], "ann");
        app.execute_sql("DROP TABLE sessions").await;
        assert_eq!(ann.execute("{ me { sessions { id } } }", json!({})).await.code(), "INTERNAL_SERVER_ERROR");
    }

    async fn nested_errors_have_their_full_path(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        for (query, path) in [
            ("{ tasks { nodes { id owner { tasks(first: 0) { totalCount } } } } }", json!(["tasks", "nodes", 0, "owner", "tasks"])),
            ("{ tasks { edges { n: node { o: owner { t: tasks(first: 0) { totalCount } } } } } }", json!(["tasks", "edges", 0, "n", "o", "t"])),
            ("mutation { createTask(input: { title: \"x\" }) { task { owner { tasks(last: 0) { totalCount } } } } }", json!(["createTask", "task", "owner", "tasks"])),
        ] {
            let response = ann.execute(query, json!({})).await;
            assert_eq!(response.error()["path"], path, "{query}");
            assert_eq!(response.status, 200, "the operation was executed");
        }
    }

    async fn the_server_lists_its_codes(app) {
        let query = "{ serverInfo { errorCodes { code status retryable description } } }";
        let data = app.anonymous().data(query, json!({})).await;
        let listed = data["serverInfo"]["errorCodes"].as_array().expect("a list");
        let row = |info: &Value| {
            assert!(info["description"].as_str().is_some_and(|text| text.len() > 10), "{info}");
            (info["code"].clone(), info["status"].clone(), info["retryable"].clone())
        };
        let listed: Vec<_> = listed.iter().map(row).collect();
        let expected = CODES.map(|(code, status, retryable)| (json!(code), json!(status), json!(retryable)));
        assert_eq!(listed, expected);
    }
}
