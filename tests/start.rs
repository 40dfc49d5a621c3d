//! The program itself: what it makes of its options, what it says when it cannot start, and how it ends.

mod commands;
mod instances;
mod log;
mod options;
mod refusals;
mod stop;
mod wire;

use std::fs;

use crate::support::{PASSWORD, Place, PostgresDatabase, Server, json};

fn assert_works(server: &Server) {
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let root = server.get("/");
    assert_eq!((root.status, root.header("location")), (307, "/graphql"));
}

/// Who the token belongs to.
fn whose(server: &Server, token: &str) -> String {
    let body = server.post(token, "query Whose { me { username } }", &json!({})).json();
    body["data"]["me"]["username"].as_str().unwrap_or_default().to_owned()
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
fn the_generated_secret_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    assert!(place.run(&["check"]).stdout.contains("configuration: ok"));
    let metadata = fs::metadata(place.path("data/secret")).expect("the secret was made");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
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
