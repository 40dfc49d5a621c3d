//! Operations of a WebSocket: queries, subscriptions, mutations, and several at the same time.

use std::time::Duration;

use tungstenite::Message;

use super::SUBSCRIBE;
use crate::support::{PostgresDatabase, ServerEnv, SqlSession, json, wait_until};

#[test]
fn a_query_has_one_result_and_is_complete() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    socket.subscribe(
        "q \"1\"",
        "query($id: ID!) { me { email } task(id: $id) { id } }",
        &json!({ "id": "x" }),
    );
    let result = socket.next("q \"1\"");
    assert_eq!(result["data"]["me"]["email"], "ann@example.com");
    assert_eq!(result["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert_eq!(socket.receive(), json!({ "type": "complete", "id": "q \"1\"" }));
    // The id is free again.
    socket.subscribe("q \"1\"", "{ me { email } }", &json!({}));
    socket.next("q \"1\"");
}

#[test]
fn an_operation_that_is_refused_has_an_error_and_the_others_go_on() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    socket.subscribe("s", SUBSCRIBE, &json!({}));
    socket.next("s");
    for (query, code) in [
        ("{ nothing }", "BAD_REQUEST"),
        ("{", "BAD_REQUEST"),
        ("query($id: ID!) { task(id: $id) { id } }", "BAD_USER_INPUT"),
        ("mutation { logout { success } }", "BAD_REQUEST"),
        (&"{ ".repeat(100), "QUERY_TOO_COMPLEX"),
    ] {
        socket.subscribe("o", query, &json!({}));
        assert_eq!(socket.error("o"), code, "{query}");
    }
    let hash = json!({ "persistedQuery": { "version": 1, "sha256Hash": "ab".repeat(32) } });
    socket.send(&json!({ "type": "subscribe", "id": "o", "payload": { "extensions": hash } }));
    assert_eq!(socket.error("o"), "PERSISTED_QUERY_NOT_FOUND");
    let nested = format!(
        "{{\"query\":\"{{ me {{ id }} }}\",\"variables\":{{\"a\":{}{}}}}}",
        "[".repeat(100),
        "]".repeat(100)
    );
    socket.send_frame(Message::text(format!("{{\"type\":\"subscribe\",\"id\":\"o\",\"payload\":{nested}}}")));
    assert_eq!(socket.error("o"), "QUERY_TOO_COMPLEX");
    // The mutation was not executed: the session is active.
    server.post(&token, crate::process::CREATE, &json!({ "input": { "title": "one" } }));
    socket.next("s");
}

#[test]
fn a_completed_operation_reports_nothing_more() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    for id in ["1", "2"] {
        socket.subscribe(id, SUBSCRIBE, &json!({}));
        socket.next(id);
    }
    socket.send(&json!({ "type": "complete", "id": "1" }));
    socket.send(&json!({ "type": "complete", "id": "unknown" }));
    socket.send(&json!({ "type": "pong", "payload": null, "more": 1 }));
    socket.send(&json!({ "type": "ping" }));
    assert_eq!(socket.receive(), json!({ "type": "pong" }));
    server.post(&token, crate::process::CREATE, &json!({ "input": { "title": "one" } }));
    socket.next("2");
    socket.assert_silent_for(Duration::from_millis(500));
}

#[test]
fn a_websocket_has_a_limited_number_of_open_operations() {
    let server = ServerEnv::new().with("LIMIT_SOCKET_OPERATIONS", "3").start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    for id in ["1", "2", "3"] {
        socket.subscribe(id, SUBSCRIBE, &json!({}));
        socket.next(id);
    }
    socket.subscribe("4", SUBSCRIBE, &json!({}));
    assert_eq!(socket.error("4"), "RATE_LIMITED");
    socket.send(&json!({ "type": "complete", "id": "2" }));
    socket.subscribe("4", SUBSCRIBE, &json!({}));
    socket.next("4");
}

#[test]
fn operations_that_are_completed_early_are_executed_one_after_the_other() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    let mut sql = SqlSession::open(&database.url).expect("the database accepts connections");
    sql.run("BEGIN; LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE");
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for query in ["{ taskChanges { cursor } }", SUBSCRIBE] {
        socket.subscribe("1", query, &json!({}));
        wait_until("the first waits for the lock", || sql.number(waiting) > 0);
        socket.assert_silent_for(Duration::from_millis(300));
        assert_eq!(sql.number(waiting), 1, "{query}");
        socket.send(&json!({ "type": "complete", "id": "1" }));
    }
    sql.run("COMMIT");
    socket.subscribe("1", "{ me { email } }", &json!({}));
    socket.next("1");
}

#[test]
fn a_last_event_id_that_is_no_cursor_is_an_error_of_each_subscription() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    for last_event_id in [String::new(), "x".repeat(100), "x".repeat(60_000)] {
        let mut socket = server.web_socket();
        socket
            .initialize(&json!({ "authorization": format!("Bearer {token}"), "lastEventId": last_event_id }));
        for id in ["1", "2"] {
            socket.subscribe(id, SUBSCRIBE, &json!({}));
            assert_eq!(socket.error(id), "BAD_USER_INPUT");
        }
    }
}
