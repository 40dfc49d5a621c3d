//! The commands of an operator for API keys and verified addresses, while a server runs.

use crate::process::{api_key, assert_revoked_soon, code, login, sign_in, tokens, username_of};
use crate::support::{PostgresDatabase, Server, ServerEnv, Value, json};

use super::user::{NEW_PASSWORD, create, fail, succeed};

const ME: &str = "{ me { emailVerified } }";

fn is_verified(server: &Server, token: &str) -> Value {
    server.post(token, ME, &json!({})).json()["data"]["me"]["emailVerified"].take()
}

/// The columns of a line, which are separated by two spaces.
fn columns(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).collect()
}

#[test]
fn an_address_is_verified_by_the_operator() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    create(&env, &["ann@example.com", "--verified"]);
    create(&env, &["bob@example.com"]);
    let [ann, bob] = ["ann", "bob"].map(|who| sign_in(&server, who).access);
    assert_eq!((is_verified(&server, &ann), is_verified(&server, &bob)), (json!(true), json!(false)));
    for _ in 0..2 {
        let line = succeed(&env, &["verify-email", "BOB@example.com"], "");
        assert!(line.ends_with("  active    bob  bob@example.com\n"), "{line}");
        assert_eq!(is_verified(&server, &bob), true);
    }
    assert_eq!(fail(&env, &["verify-email", "eve"], ""), "There is no such user.");
}

#[test]
fn the_keys_of_a_user_are_listed_newest_first_without_their_tokens() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    let [ann, bob] = ["ann", "bob"].map(|name| server.register(name));
    api_key(&server, &bob, "ACCOUNT");
    assert_eq!(succeed(&env, &["keys", "ann"], ""), "");
    let create = "mutation($name: String!, $scopes: [ApiKeyScope!]!) { createApiKey(input: { name: $name, scopes: $scopes,
        expiresAt: \"2027-06-30T12:30:00Z\", currentPassword: \"correct-horse-1\" }) { token apiKey { id start } } }";
    let mut keys = Vec::new();
    for (name, scopes) in
        [("a  script", json!(["ACCOUNT", "TASKS_READ"])), ("two\nlines\u{1b}[1m", json!(["TASKS_WRITE"]))]
    {
        let created = server.post(&ann, create, &json!({ "name": name, "scopes": scopes })).json();
        keys.insert(0, created["data"]["createApiKey"].clone());
    }
    let token = keys[0]["token"].as_str().expect("a token");
    assert_eq!(username_of(&server, token), "ann");
    let listed = succeed(&env, &["keys", "ann@example.com"], "");
    let lines: Vec<Vec<&str>> = listed.lines().map(columns).collect();
    assert_eq!(lines.len(), 2, "{listed}");
    for (line, key) in lines.iter().zip(&keys) {
        assert_eq!((&json!(line[0]), &json!(line[1])), (&key["apiKey"]["id"], &key["apiKey"]["start"]));
        assert_eq!(line[4], "2027-06-30T12:30Z");
        assert!(line[3].len() == 17 && line[3].ends_with('Z'), "{listed}");
        assert!(!listed.contains(&key["token"].as_str().expect("a token")[17..]), "{listed}");
    }
    assert_eq!((lines[0][2], lines[1][2]), ("TASKS_WRITE", "TASKS_READ,ACCOUNT"));
    assert_eq!(
        (lines[0].last(), lines[1][6..].join("  ")),
        (Some(&"two\\nlines\\u{1b}[1m"), "a  script".to_owned())
    );
    assert_eq!(lines[1][5], "never");
    assert_eq!(fail(&env, &["keys", "eve"], ""), "There is no such user.");
}

fn a_printed_link_sets_a_password_without_verifying_the_address(env: ServerEnv) {
    let env = env.with("PUBLIC_URL", "https://tasks.example.com/base");
    let server = env.start(&[]);
    server.register("ann");
    let reset = "mutation($token: String!, $new: String!) {
        resetPassword(input: { token: $token, newPassword: $new }) { email } }";
    let set = |token: &str| server.post("", reset, &json!({ "token": token, "new": NEW_PASSWORD }));
    let link = succeed(&env, &["reset-link", "ANN"], "");
    let token = link.strip_prefix("https://tasks.example.com/base/account/reset-password#token=");
    let token = token.and_then(|token| token.strip_suffix('\n')).expect("one line with the link");
    assert_eq!(set(token).json()["data"]["resetPassword"]["email"], "ann@example.com");
    assert_eq!(code(&set(token)), "INVALID_CREDENTIALS", "it works once");
    let ann = tokens(&login(&server, "ann", NEW_PASSWORD), "login").access;
    assert_eq!(is_verified(&server, &ann), false);

    assert_eq!(fail(&env, &["reset-link", "eve"], ""), "There is no such user.");
    succeed(&env, &["deactivate", "ann"], "");
    let inactive = "The user is inactive. Activate the user first.";
    assert_eq!(fail(&env, &["reset-link", "ann"], ""), inactive);
}

#[test]
fn a_printed_link_on_sqlite_sets_a_password_without_verifying_the_address() {
    a_printed_link_sets_a_password_without_verifying_the_address(ServerEnv::new());
}

#[test]
fn a_printed_link_on_postgres_sets_a_password_without_verifying_the_address() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_printed_link_sets_a_password_without_verifying_the_address(ServerEnv::on(&database));
}

fn a_running_server_applies_the_commands_for_keys(env: &ServerEnv) {
    let server = env.start(&[]);
    let (ann, bob) = (server.register("ann"), server.register("bob"));
    let bobs = api_key(&server, &bob, "ACCOUNT").0;
    let keys = [(); 2].map(|()| api_key(&server, &ann, "ACCOUNT").0);
    assert_eq!(username_of(&server, &keys[0]), "ann");
    assert_eq!(succeed(env, &["revoke-keys", "ann"], ""), "revoked: 2\n");
    keys.iter().for_each(|key| assert_revoked_soon(&server, key));
    assert_eq!(succeed(env, &["revoke-keys", "ann"], ""), "revoked: 0\n");
    assert_eq!(fail(env, &["revoke-keys", "eve"], ""), "There is no such user.");

    let key = api_key(&server, &ann, "ACCOUNT").0;
    assert_eq!(username_of(&server, &key), "ann");
    let deactivated = succeed(env, &["deactivate", "ann"], "");
    assert!(deactivated.contains(" inactive "), "{deactivated}");
    assert_revoked_soon(&server, &key);
    succeed(env, &["activate", "ann"], "");
    crate::support::wait_until("the key works again", || username_of(&server, &key) == "ann");

    succeed(env, &["set-password", "ann", "--keep-keys"], NEW_PASSWORD);
    assert_revoked_soon(&server, &ann);
    assert_eq!(username_of(&server, &key), "ann");
    assert_eq!(code(&login(&server, "ann", NEW_PASSWORD)), "");
    succeed(env, &["set-password", "ann"], NEW_PASSWORD);
    assert_revoked_soon(&server, &key);
    assert_eq!(succeed(env, &["keys", "ann"], ""), "");
    assert_eq!(username_of(&server, &bobs), "bob");
}

#[test]
fn a_running_server_on_sqlite_applies_the_commands_for_keys() {
    a_running_server_applies_the_commands_for_keys(&ServerEnv::new());
}

#[test]
fn a_running_server_on_postgres_applies_the_commands_for_keys() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_running_server_applies_the_commands_for_keys(&ServerEnv::on(&database));
}
