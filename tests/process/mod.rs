//! Tests of the program as a process: live changes, commands, configuration, start and stop, network behaviour, logs and
//! metrics.

mod changes;
mod claims;
mod commands;
mod configuration;
mod failures;
mod lifecycle;
mod mail;
mod network;
mod observability;
mod streams;

use std::time::{Duration, Instant};

use crate::support::{HttpResponse, PASSWORD, Server, Value, json, wait_until};

fn assert_works(server: &Server) {
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let root = server.get("/");
    assert_eq!((root.status, root.header("location")), (307, "graphql"));
}

/// The username of the token's owner; empty if the token is not valid.
fn username_of(server: &Server, token: &str) -> String {
    let body = server.post(token, "query Me { me { username } }", &json!({})).json();
    body["data"]["me"]["username"].as_str().unwrap_or_default().to_owned()
}

/// The token pair of a session.
struct Tokens {
    access: String,
    refresh: String,
}

fn login(server: &Server, who: &str, password: &str) -> HttpResponse {
    let query = "mutation Login($who: String!, $password: String!) {
        login(input: { usernameOrEmail: $who, password: $password }) { accessToken refreshToken } }";
    server.post("", query, &json!({ "who": who, "password": password }))
}

fn refresh(server: &Server, token: &str) -> HttpResponse {
    let query = "mutation Refresh($token: String!) {
        refreshToken(refreshToken: $token) { accessToken refreshToken } }";
    server.post("", query, &json!({ "token": token }))
}

/// The tokens in the response to an operation that must succeed.
fn tokens(response: &HttpResponse, operation: &str) -> Tokens {
    let pair = &response.json()["data"][operation];
    let text = |field: &str| pair[field].as_str().expect("a token").to_owned();
    Tokens { access: text("accessToken"), refresh: text("refreshToken") }
}

fn sign_in(server: &Server, who: &str) -> Tokens {
    tokens(&login(server, who, PASSWORD), "login")
}

/// Creates an API key with one scope. Returns its token and its id.
fn api_key(server: &Server, session: &str, scope: &str) -> (String, String) {
    let query = "mutation($scope: ApiKeyScope!, $password: String!) { createApiKey(input: {
        name: \"a key\", scopes: [$scope], currentPassword: $password }) { token apiKey { id } } }";
    let created = server.post(session, query, &json!({ "scope": scope, "password": PASSWORD })).json();
    let created = &created["data"]["createApiKey"];
    let text = |value: &Value| value.as_str().expect("the key is created").to_owned();
    (text(&created["token"]), text(&created["apiKey"]["id"]))
}

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";

/// A task id that a client chooses.
fn chosen_id(number: usize) -> String {
    format!("01930000-0000-7000-8000-{number:012x}")
}

/// Reads all tasks of a user, each with id, title and version.
fn all_tasks(server: &Server, token: &str) -> Vec<Value> {
    let query = "query($after: String) { tasks(first: 100, after: $after) {
        nodes { id title version } pageInfo { hasNextPage endCursor } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = server.post(token, query, &json!({ "after": after })).json()["data"]["tasks"].take();
        all.extend(page["nodes"].as_array().expect("a list").iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Asserts that this server refuses a session within two seconds after another process revoked it.
fn assert_revoked_soon(server: &Server, token: &str) {
    let started = Instant::now();
    wait_until("the session is refused", || username_of(server, token).is_empty());
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

/// The code of the first error in a response; empty if there is none.
fn code(response: &HttpResponse) -> String {
    response.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}
