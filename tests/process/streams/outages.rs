//! Streams while the database cannot be reached: they stay open, and continue where they were.

use std::time::{Duration, Instant};

use super::{CREATE, SUBSCRIBE};
use crate::support::{PostgresDatabase, ServerEnv, SqlSession, json, wait_until};

#[test]
fn an_open_stream_stays_open_and_continues_after_an_outage() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).with("STREAM_KEEPALIVE", "1s").start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    socket.subscribe("1", SUBSCRIBE, &json!({}));
    socket.next("1");
    let mut events = server.post_for_stream(&token, "text/event-stream", SUBSCRIBE, &json!({}));
    events.event();
    let mut early = server.web_socket();

    database.refuse_connections();
    // A subscription that begins now waits, a ping is answered, and new streams are refused.
    socket.subscribe("2", SUBSCRIBE, &json!({}));
    wait_until("the outage is noticed", || server.get("/readyz").status == 503);
    socket.send(&json!({ "type": "ping" }));
    assert_eq!(socket.receive(), json!({ "type": "pong" }));
    let refused = server.post_for_stream(&token, "text/event-stream", SUBSCRIBE, &json!({})).head;
    assert_eq!(refused.status, 503, "{}", refused.body);
    socket.subscribe("q", "{ me { id } }", &json!({}));
    assert_eq!(socket.next("q")["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE");
    assert_eq!(socket.receive(), json!({ "type": "complete", "id": "q" }));
    socket.assert_silent_for(Duration::from_secs(2));
    assert!(socket.pings >= 2);
    assert_eq!(events.chunk().as_deref(), Some(":\n\n"));
    // The sessions in the cache are valid for ten seconds without a database.
    early.send(
        &json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } }),
    );
    early.try_receive().expect("the session is cached");

    database.accept_connections();
    let begun = Instant::now();
    wait_until("the database is back", || server.get("/readyz").status == 200);
    assert_eq!(socket.next("2")["data"]["taskChanges"]["changes"], json!([]));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    server.post(&token, CREATE, &json!({ "input": { "title": "one" } }));
    let mut reported = [socket.receive(), socket.receive()].map(|message| message["id"].to_string());
    reported.sort();
    assert_eq!(reported, ["\"1\"", "\"2\""]);
    let event = events.event_after_comments();
    assert_eq!(event.0["data"]["taskChanges"]["changes"][0]["task"]["title"], "one");
}

#[test]
fn a_session_that_cannot_be_checked_is_no_reason_to_sign_in_again() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let token = env.start(&[]).register("ann");
    // The second server has not seen the session.
    let server = env.start(&[]);
    let mut socket = server.web_socket();
    database.refuse_connections();
    let init =
        json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    socket.send(&init);
    assert_eq!(socket.close_frame(), "1013 Try again later");
    database.accept_connections();
    wait_until("the stream begins", || {
        let mut socket = server.web_socket();
        socket.send(&init);
        socket.try_receive().is_ok()
    });
}

#[test]
fn a_session_that_ended_unnoticed_ends_its_streams_although_the_first_check_fails() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    let open = || SqlSession::open(&database.url).expect("the database accepts connections");
    let (mut first, mut second) = (open(), open());
    // For more than ten seconds the server cannot read which sessions have ended.
    first.run("BEGIN; LOCK TABLE session_endings IN ACCESS EXCLUSIVE MODE");
    second.run("DELETE FROM sessions");
    socket.assert_silent_for(Duration::from_secs(11));
    second.run("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    first.run("COMMIT");
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
        AND datname = current_database() AND query LIKE '%sessions%users%'";
    wait_until("the check fails", || first.number(cancel) > 0);
    second.run("COMMIT");
    assert_eq!(socket.close_frame(), "4401 Invalid token");
}
