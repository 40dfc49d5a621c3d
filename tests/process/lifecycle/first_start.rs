//! The first start without configuration, the files that it creates, and a second start on the same data.

use std::fs;

use crate::process::{assert_works, username_of};
use crate::support::{PASSWORD, PostgresDatabase, ServerEnv, json};

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
    files.retain(|name| name != "mail");
    assert_eq!(files, ["secret"]);
}

#[test]
fn a_second_start_on_postgres_keeps_accounts_and_tokens() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    a_second_start_keeps_accounts_and_tokens(&env);
    // The folder exists if the mail of the registration was written.
    let files = fs::read_dir(env.path("data")).into_iter().flatten();
    let files = files.map(|entry| entry.expect("the folder can be read").file_name());
    assert_eq!(files.filter(|name| name != "mail").count(), 0, "PostgreSQL needs no folder for data");
}
