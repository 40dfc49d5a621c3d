//! The program itself: what it makes of its options, what it says when it cannot start, and how it ends.

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

use crate::support::{PASSWORD, Place, PostgresDatabase, Reply, Server, Value, json, wait_until};

fn assert_works(server: &Server) {
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let root = server.get("/");
    assert_eq!((root.status, root.header("location")), (307, "graphql"));
}

/// Who the token belongs to.
fn whose(server: &Server, token: &str) -> String {
    let body = server.post(token, "query Whose { me { username } }", &json!({})).json();
    body["data"]["me"]["username"].as_str().unwrap_or_default().to_owned()
}

/// What somebody is signed in with.
struct Tokens {
    access: String,
    refresh: String,
}

fn login(server: &Server, who: &str, password: &str) -> Reply {
    let query = "mutation Login($who: String!, $password: String!) {
        login(input: { usernameOrEmail: $who, password: $password }) { accessToken refreshToken } }";
    server.post("", query, &json!({ "who": who, "password": password }))
}

fn refresh(server: &Server, token: &str) -> Reply {
    let query = "mutation Refresh($token: String!) {
        refreshToken(refreshToken: $token) { accessToken refreshToken } }";
    server.post("", query, &json!({ "token": token }))
}

/// The tokens in an answer to an operation that has to succeed.
fn tokens(reply: &Reply, operation: &str) -> Tokens {
    let pair = &reply.json()["data"][operation];
    let text = |field: &str| pair[field].as_str().expect("a token").to_owned();
    Tokens { access: text("accessToken"), refresh: text("refreshToken") }
}

fn sign_in(server: &Server, who: &str) -> Tokens {
    tokens(&login(server, who, PASSWORD), "login")
}

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";

/// An id that a client chooses for a task.
fn chosen_id(number: usize) -> String {
    format!("01930000-0000-7000-8000-{number:012x}")
}

/// All of somebody's tasks, each with id, title and version.
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

/// Waits until a session that was ended elsewhere is refused here, which has to be soon.
fn learns_of_the_end(server: &Server, token: &str) {
    let told = Instant::now();
    wait_until("the session is refused", || whose(server, token).is_empty());
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
}

/// The code of the first error in an answer; empty when there is none.
fn code(reply: &Reply) -> String {
    reply.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn with_nothing_configured_it_works() {
    let place = Place::new();
    let server = place.start(&[]);
    assert!(server.address.starts_with("127.0.0.1:"), "{}", server.address);
    assert_works(&server);
    assert_eq!(whose(&server, &server.register("ann")), "ann");
    assert!(place.path("data/taskhold.db").is_file());
    assert!(place.path("data/secret").is_file());
}

#[cfg(unix)]
#[test]
fn what_is_made_at_the_first_start_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let server = place.start(&[]);
    server.register("ann");
    let files = ["data/secret", "data/taskhold.db", "data/taskhold.db-wal"].map(|file| (file, 0o600));
    for (file, mode) in files.into_iter().chain([("data", 0o700)]) {
        let metadata = fs::metadata(place.path(file)).expect("it was made");
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
    }
}

fn a_second_start_keeps_accounts_and_tokens(place: &Place) {
    let first = place.start(&[]);
    let token = first.register("ann");
    first.stop();
    let second = place.start(&["serve"]);
    assert_works(&second);
    assert_eq!(whose(&second, &token), "ann");
    let login = "mutation($who: String!, $password: String!) {
        login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";
    let body = second.post("", login, &json!({ "who": "ann", "password": PASSWORD })).json();
    assert!(body["data"]["login"]["accessToken"].is_string(), "{body}");
}

#[test]
fn a_second_start_on_sqlite_keeps_accounts_and_tokens() {
    let place = Place::new();
    a_second_start_keeps_accounts_and_tokens(&place);
    let mut files: Vec<_> = fs::read_dir(place.path("data"))
        .expect("the folder was made")
        .map(|entry| entry.expect("the folder can be read").file_name())
        .filter(|name| !name.to_string_lossy().starts_with("taskhold.db"))
        .collect();
    files.sort();
    assert_eq!(files, ["secret"]);
}

#[test]
fn a_second_start_on_postgres_keeps_accounts_and_tokens() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database);
    a_second_start_keeps_accounts_and_tokens(&place);
    assert!(!place.path("data").exists(), "PostgreSQL needs no folder");
}
