//! Several servers on one PostgreSQL: all accept the same sessions, revocations and login limits.

use std::thread;

use crate::process::{
    Tokens, api_key, assert_revoked_soon, code, login, refresh, sign_in, tokens, username_of,
};
use crate::support::{PASSWORD, PostgresDatabase, Server, ServerEnv, Value, json};

/// An operation that revokes a credential, sent with that credential or with another one of the same user.
struct Revocation {
    name: &'static str,
    query: &'static str,
    by_own_session: bool,
}

const REVOCATIONS: [Revocation; 5] = [
    Revocation { name: "logout", query: "mutation { logout { success } }", by_own_session: true },
    Revocation { name: "logout-all", query: "mutation { logout(scope: ALL) { success } }", by_own_session: false },
    Revocation {
        name: "revoke",
        query: "mutation($id: ID!) { revokeSession(id: $id) { revokedSessionId } }",
        by_own_session: false,
    },
    Revocation {
        name: "change-password",
        query: "mutation($password: String!) {
            changePassword(input: { currentPassword: $password, newPassword: \"better-horse-2\" }) { tokenType } }",
        by_own_session: false,
    },
    Revocation {
        name: "delete-account",
        query: "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }",
        by_own_session: false,
    },
];

fn current_session(server: &Server, token: &str) -> Value {
    let sessions = server.post(token, "{ me { sessions { id current } } }", &json!({})).json();
    let sessions = sessions["data"]["me"]["sessions"].as_array().expect("a list").clone();
    let mut current = sessions.into_iter().filter(|session| session["current"] == true);
    current.next().expect("the current session is listed")["id"].clone()
}

#[test]
fn a_revoked_session_is_refused_immediately_on_one_server_and_soon_on_the_others() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let [first, second] = [env.start(&[]), env.start(&[])];
    for Revocation { name, query, by_own_session } in REVOCATIONS {
        first.register(name);
        let [session, other] = [sign_in(&first, name), sign_in(&second, name)];
        for server in [&first, &second] {
            assert_eq!(username_of(server, &session.access), name, "both servers accept the token");
        }
        let by = if by_own_session { &session } else { &other };
        let variables = json!({ "id": current_session(&first, &session.access), "password": PASSWORD });
        let response = first.post(&by.access, query, &variables).json();
        assert!(response.get("errors").is_none(), "{name}: {response}");
        assert_eq!(username_of(&first, &session.access), "", "{name}");
        assert_revoked_soon(&second, &session.access);
        for server in [&first, &second] {
            assert_eq!(code(&refresh(server, &session.refresh)), "INVALID_CREDENTIALS", "{name}");
        }
    }
}

/// Operations that end the API key `$id`, sent with the session of its user or with the key.
const KEY_ENDINGS: [Revocation; 4] = [
    Revocation {
        name: "revoke-key",
        query: "mutation($id: ID!) { revokeApiKey(id: $id) { revokedApiKeyId } }",
        by_own_session: false,
    },
    Revocation {
        name: "by-itself",
        query: "mutation($id: ID!) { revokeApiKey(id: $id) { revokedApiKeyId } }",
        by_own_session: true,
    },
    Revocation {
        name: "change-password",
        query: "mutation($password: String!) { changePassword(input: {
            currentPassword: $password, newPassword: \"better-horse-2\", revokeApiKeys: true }) { tokenType } }",
        by_own_session: false,
    },
    Revocation {
        name: "delete-account",
        query: "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }",
        by_own_session: false,
    },
];

#[test]
fn a_revoked_api_key_is_refused_immediately_on_one_server_and_soon_on_the_others() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let [first, second] = [env.start(&[]), env.start(&[])];
    for Revocation { name, query, by_own_session } in KEY_ENDINGS {
        let session = first.register(name);
        let (key, id) = api_key(&second, &session, "ACCOUNT");
        for server in [&first, &second] {
            assert_eq!(username_of(server, &key), name, "both servers accept the key");
        }
        let by = if by_own_session { &key } else { &session };
        let response = first.post(by, query, &json!({ "id": id, "password": PASSWORD })).json();
        assert!(response.get("errors").is_none(), "{name}: {response}");
        assert_eq!(username_of(&first, &key), "", "{name}");
        assert_revoked_soon(&second, &key);
    }
}

#[test]
fn a_repeated_refresh_gets_the_same_response_on_every_server() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let [first, second] = [env.start(&[]), env.start(&[])];
    first.register("ann");
    let Tokens { refresh: token, .. } = sign_in(&first, "ann");
    let response = refresh(&first, &token);
    assert_eq!(refresh(&second, &token).body, response.body);
    let pair = tokens(&response, "refreshToken");
    assert_eq!(username_of(&second, &pair.access), "ann");

    // The successor was used on the second server, so the first server treats the old token as stolen.
    tokens(&refresh(&second, &pair.refresh), "refreshToken");
    assert_eq!(code(&refresh(&first, &token)), "INVALID_CREDENTIALS");
    assert_eq!(username_of(&first, &pair.access), "");
    assert_revoked_soon(&second, &pair.access);
}

#[test]
fn of_sixty_concurrent_wrong_logins_on_three_servers_ten_are_tried() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database).with("LIMIT_CREDENTIALS_PER_MINUTE", "0");
    let servers = [env.start(&[]), env.start(&[]), env.start(&[])];
    servers[0].register("ann");
    let codes: Vec<String> = thread::scope(|scope| {
        let wrong = |server| code(&login(server, "ann", "wrong-horse-1"));
        let tries = servers.iter().cycle().take(60);
        let tries: Vec<_> = tries.map(|server| scope.spawn(move || wrong(server))).collect();
        tries.into_iter().map(|attempt| attempt.join().expect("the attempt does not panic")).collect()
    });
    let count = |code: &str| codes.iter().filter(|given| *given == code).count();
    // On a busy machine some requests exceed the time limit of the hashing queue.
    let refused = count("RATE_LIMITED") + count("SERVICE_UNAVAILABLE");
    assert_eq!((count("INVALID_CREDENTIALS"), refused), (10, 50), "{codes:?}");
    for server in &servers {
        assert_eq!(code(&login(server, "ann", PASSWORD)), "RATE_LIMITED");
    }
}
