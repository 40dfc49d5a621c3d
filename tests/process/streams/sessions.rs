//! Streams end with their session or API key: here, on another instance, and when the token expires.

use std::time::{Duration, Instant};

use super::{CREATE, SUBSCRIBE};
use crate::process::{Tokens, api_key, refresh, sign_in, tokens};
use crate::support::{HttpStreamClient, PASSWORD, PostgresDatabase, Server, ServerEnv, SocketClient, json};

/// A WebSocket and an event stream of one session.
struct Streams {
    socket: SocketClient,
    events: HttpStreamClient,
}

impl Streams {
    fn open(server: &Server, token: &str) -> Self {
        let mut socket = server.signed_in_web_socket(token);
        socket.subscribe("1", SUBSCRIBE, &json!({}));
        socket.next("1");
        let mut events = server.post_for_stream(token, "text/event-stream", SUBSCRIBE, &json!({}));
        events.event();
        Self { socket, events }
    }

    fn assert_ended_within(&mut self, limit: Duration, why: &str) {
        let begun = Instant::now();
        assert_eq!(self.socket.close_frame(), "4401 Invalid token", "{why}");
        let rest = self.events.rest();
        assert!(begun.elapsed() < limit, "{why}: {:?}", begun.elapsed());
        assert!(
            rest.starts_with("event: next\ndata: {\"errors\":[{\"message\":\"Invalid token\""),
            "{why}: {rest}"
        );
        assert!(
            rest.contains("\"code\":\"UNAUTHENTICATED\"") && rest.ends_with("event: complete\ndata:\n\n"),
            "{rest}"
        );
    }
}

#[test]
fn a_stream_ends_with_its_session() {
    let env = ServerEnv::new().with("LIMIT_CREDENTIALS_PER_MINUTE", "0");
    let server = env.start(&[]);
    server.register("ann");
    let other = sign_in(&server, "ann").access;
    let variables = json!({ "password": PASSWORD });
    let change = "mutation($password: String!) { changePassword(input: { currentPassword: $password,
        newPassword: $password, revokeOtherSessions: true }) { tokenType } }";
    for (why, query) in [
        ("logout", "mutation { logout { success } }"),
        ("of all", "mutation { logout(scope: ALL) { success } }"),
        ("password", change),
        ("account", "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }"),
    ] {
        let session = sign_in(&server, "ann").access;
        let by = if why == "logout" || why == "account" { &session } else { &sign_in(&server, "ann").access };
        let mut streams = Streams::open(&server, &session);
        let response = server.post(by, query, &variables).json();
        assert!(response.get("errors").is_none(), "{why}: {response}");
        streams.assert_ended_within(Duration::from_millis(500), why);
    }
    assert_eq!(server.post(&other, "{ me { id } }", &json!({})).status, 401);
}

#[test]
fn a_stream_ends_with_its_api_key() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    let session = server.register("ann");
    let (key, id) = api_key(&server, &session, "TASKS_READ");
    let mut streams = Streams::open(&server, &key);
    let revoke = "mutation($id: ID!) { revokeApiKey(id: $id) { revokedApiKeyId } }";
    server.post(&session, revoke, &json!({ "id": id }));
    streams.assert_ended_within(Duration::from_millis(500), "revoked");

    let (key, _) = api_key(&server, &session, "TASKS_WRITE");
    let mut streams = Streams::open(&server, &key);
    assert!(env.run(&["user", "revoke-keys", "ann"]).success);
    streams.assert_ended_within(Duration::from_secs(2), "revoked by the operator");
}

#[test]
fn a_refresh_token_that_is_used_twice_and_the_operator_end_streams() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    server.register("ann");
    let Tokens { access, refresh: old } = sign_in(&server, "ann");
    let mut streams = Streams::open(&server, &access);
    let new = tokens(&refresh(&server, &old), "refreshToken");
    tokens(&refresh(&server, &new.refresh), "refreshToken");
    refresh(&server, &old);
    streams.assert_ended_within(Duration::from_millis(500), "a stolen token");

    let mut streams = Streams::open(&server, &sign_in(&server, "ann").access);
    assert!(env.run(&["user", "deactivate", "ann@example.com"]).success);
    streams.assert_ended_within(Duration::from_secs(2), "deactivated");
}

#[test]
fn a_stream_ends_soon_when_another_server_ends_its_session() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let [first, second] = [env.start(&[]), env.start(&[])];
    first.register("ann");
    let session = sign_in(&first, "ann").access;
    let mut streams = Streams::open(&second, &session);
    first.post(&session, "mutation { logout { success } }", &json!({}));
    streams.assert_ended_within(Duration::from_secs(2), "logout elsewhere");
}

#[test]
fn a_stream_is_cut_when_its_token_expires_and_the_new_token_continues() {
    let server = ServerEnv::new().with("ACCESS_TOKEN_TTL", "3s").start(&[]);
    server.register("ann");
    let Tokens { access, refresh: token } = sign_in(&server, "ann");
    let mut stream = server.post_for_stream(&access, "text/event-stream", SUBSCRIBE, &json!({}));
    let (_, cursor) = stream.event();
    let new = tokens(&refresh(&server, &token), "refreshToken").access;
    assert_eq!(stream.rest(), "", "a stream that is cut has no end");
    let new = if server.post(&new, "{ me { id } }", &json!({})).status == 200 {
        new
    } else {
        sign_in(&server, "ann").access
    };
    server.post(&new, CREATE, &json!({ "input": { "title": "one" } }));
    let mut socket = server.web_socket();
    socket.initialize(&json!({ "authorization": format!("Bearer {new}"), "lastEventId": cursor }));
    socket.subscribe("1", SUBSCRIBE, &json!({}));
    assert_eq!(socket.next("1")["data"]["taskChanges"]["changes"][0]["task"]["title"], "one");
}
