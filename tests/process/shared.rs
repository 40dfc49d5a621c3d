//! Several servers on one PostgreSQL: a session is the same on all, and ends on all.

use std::thread;

use super::{Tokens, code, learns_of_the_end, login, refresh, sign_in, tokens, whose};
use crate::support::{PASSWORD, Place, PostgresDatabase, Server, Value, json};

/// How a session ends: by the session itself, or by another one of the same user.
struct Ending {
    name: &'static str,
    query: &'static str,
    by_itself: bool,
}

const ENDINGS: [Ending; 5] = [
    Ending { name: "logout", query: "mutation { logout { success } }", by_itself: true },
    Ending { name: "logout-all", query: "mutation { logout(scope: ALL) { success } }", by_itself: false },
    Ending {
        name: "revoke",
        query: "mutation($id: ID!) { revokeSession(id: $id) { revokedSessionId } }",
        by_itself: false,
    },
    Ending {
        name: "change-password",
        query: "mutation($password: String!) {
            changePassword(input: { currentPassword: $password, newPassword: \"better-horse-2\" }) { tokenType } }",
        by_itself: false,
    },
    Ending {
        name: "delete-account",
        query: "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }",
        by_itself: false,
    },
];

fn current_session(server: &Server, token: &str) -> Value {
    let sessions = server.post(token, "{ me { sessions { id current } } }", &json!({})).json();
    let sessions = sessions["data"]["me"]["sessions"].as_array().expect("a list").clone();
    let mut current = sessions.into_iter().filter(|session| session["current"] == true);
    current.next().expect("the session lists itself")["id"].clone()
}

#[test]
fn a_session_that_ends_is_refused_at_once_here_and_soon_everywhere() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database);
    let [here, there] = [place.start(&[]), place.start(&[])];
    for Ending { name, query, by_itself } in ENDINGS {
        here.register(name);
        let [session, other] = [sign_in(&here, name), sign_in(&there, name)];
        for server in [&here, &there] {
            assert_eq!(whose(server, &session.access), name, "one token is good on both");
        }
        let by = if by_itself { &session } else { &other };
        let variables = json!({ "id": current_session(&here, &session.access), "password": PASSWORD });
        let answer = here.post(&by.access, query, &variables).json();
        assert!(answer.get("errors").is_none(), "{name}: {answer}");
        assert_eq!(whose(&here, &session.access), "", "{name}");
        learns_of_the_end(&there, &session.access);
        for server in [&here, &there] {
            assert_eq!(code(&refresh(server, &session.refresh)), "INVALID_CREDENTIALS", "{name}");
        }
    }
}

#[test]
fn the_same_refresh_gives_the_same_answer_on_every_server() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database);
    let [here, there] = [place.start(&[]), place.start(&[])];
    here.register("ann");
    let Tokens { refresh: token, .. } = sign_in(&here, "ann");
    let first = refresh(&here, &token);
    assert_eq!(refresh(&there, &token).body, first.body);
    let pair = tokens(&first, "refreshToken");
    assert_eq!(whose(&there, &pair.access), "ann");

    // Used there, the first one is a stolen one here.
    tokens(&refresh(&there, &pair.refresh), "refreshToken");
    assert_eq!(code(&refresh(&here, &token)), "INVALID_CREDENTIALS");
    assert_eq!(whose(&here, &pair.access), "");
    learns_of_the_end(&there, &pair.access);
}

#[test]
fn of_sixty_wrong_logins_at_once_on_three_servers_ten_are_tried() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database).with("LIMIT_CREDENTIALS_PER_MINUTE", "0");
    let servers = [place.start(&[]), place.start(&[]), place.start(&[])];
    servers[0].register("ann");
    let codes: Vec<String> = thread::scope(|scope| {
        let wrong = |server| code(&login(server, "ann", "wrong-horse-1"));
        let tries = servers.iter().cycle().take(60);
        let tries: Vec<_> = tries.map(|server| scope.spawn(move || wrong(server))).collect();
        tries.into_iter().map(|attempt| attempt.join().expect("it does not panic")).collect()
    });
    let count = |code: &str| codes.iter().filter(|given| *given == code).count();
    // On a busy machine some wait too long to be hashed.
    let refused = count("RATE_LIMITED") + count("SERVICE_UNAVAILABLE");
    assert_eq!((count("INVALID_CREDENTIALS"), refused), (10, 50), "{codes:?}");
    for server in &servers {
        assert_eq!(code(&login(server, "ann", PASSWORD)), "RATE_LIMITED");
    }
}
