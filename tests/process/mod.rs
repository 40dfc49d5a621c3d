//! Tests of the program as a process: commands, configuration, start and stop, network behaviour, logs and
//! metrics.

mod abandoned;
mod clock;
mod closing;
mod commands;
mod connections;
#[cfg(unix)]
mod crash;
mod framing;
mod healthcheck;
mod instances;
mod keys;
mod log;
mod metrics;
mod migrations;
#[cfg(unix)]
mod open_files;
mod operator;
mod options;
mod outage;
mod proxies;
mod refusals;
mod shared;
mod slow;
mod stop;
#[cfg(unix)]
mod unread;
mod wire;

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{HttpResponse, PASSWORD, PostgresDatabase, Server, ServerEnv, Value, json, wait_until};

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

#[test]
fn a_server_works_without_configuration() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    assert!(server.address.starts_with("127.0.0.1:"), "{}", server.address);
    assert_works(&server);
    assert_eq!(username_of(&server, &server.register("ann")), "ann");
    assert!(env.path("data/taskhold.db").is_file());
    assert!(env.path("data/secret").is_file());
}

#[cfg(unix)]
#[test]
fn files_created_at_the_first_start_are_only_accessible_to_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let env = ServerEnv::new();
    let server = env.start(&[]);
    server.register("ann");
    let files = ["data/secret", "data/taskhold.db", "data/taskhold.db-wal"].map(|file| (file, 0o600));
    for (file, mode) in files.into_iter().chain([("data", 0o700)]) {
        let metadata = fs::metadata(env.path(file)).expect("the file was created");
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
    }
}

fn a_second_start_keeps_accounts_and_tokens(env: &ServerEnv) {
    let first = env.start(&[]);
    let token = first.register("ann");
    first.stop();
    let second = env.start(&["serve"]);
    assert_works(&second);
    assert_eq!(username_of(&second, &token), "ann");
    let login = "mutation($who: String!, $password: String!) {
        login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";
    let body = second.post("", login, &json!({ "who": "ann", "password": PASSWORD })).json();
    assert!(body["data"]["login"]["accessToken"].is_string(), "{body}");
}

#[test]
fn a_second_start_on_sqlite_keeps_accounts_and_tokens() {
    let env = ServerEnv::new();
    a_second_start_keeps_accounts_and_tokens(&env);
    let mut files: Vec<_> = fs::read_dir(env.path("data"))
        .expect("the folder was created")
        .map(|entry| entry.expect("the folder can be read").file_name())
        .filter(|name| !name.to_string_lossy().starts_with("taskhold.db"))
        .collect();
    files.sort();
    assert_eq!(files, ["secret"]);
}

#[test]
fn a_second_start_on_postgres_keeps_accounts_and_tokens() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    a_second_start_keeps_accounts_and_tokens(&env);
    assert!(!env.path("data").exists(), "PostgreSQL needs no folder");
}
