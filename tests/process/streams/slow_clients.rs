//! Clients that read slowly or not at all: they get fewer events, hold no memory, and do not affect others.

use std::time::{Duration, Instant};

use super::CREATE;
use crate::support::{Server, ServerEnv, Value, json, wait_until};

/// Selects much of each task, so that an event fills the buffers of the connection.
const SUBSCRIBE: &str =
    "subscription { taskChanges(first: 20) { changes { version task { title description } } cursor } }";

/// Creates 20 tasks with long descriptions, and returns their ids.
fn create_long_tasks(server: &Server, token: &str) -> Vec<Value> {
    let create = |number| {
        let input = json!({ "title": format!("task {number}"), "description": "x".repeat(9_000) });
        server.post(token, CREATE, &json!({ "input": input })).json()["data"]["createTask"]["task"]["id"]
            .take()
    };
    (0..20).map(create).collect()
}

/// Changes each task.
fn change_all(server: &Server, token: &str, ids: &[Value]) {
    let toggle = "mutation($id: ID!) { toggleTask(id: $id) { task { version } } }";
    for id in ids {
        let response = server.post(token, toggle, &json!({ "id": id })).json();
        assert!(response.get("errors").is_none(), "{response}");
    }
}

#[test]
fn a_client_that_reads_nothing_is_disconnected_and_does_not_affect_others() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let ids = create_long_tasks(&server, &token);
    let mut slow = server.signed_in_web_socket(&token);
    slow.subscribe("1", SUBSCRIBE, &json!({}));
    slow.next("1");
    let slow_events = server.post_for_stream(&token, "text/event-stream", SUBSCRIBE, &json!({}));
    let mut fast = server.signed_in_web_socket(&token);
    fast.subscribe("1", SUBSCRIBE, &json!({}));
    fast.next("1");
    let begun = Instant::now();
    // The buffers of the system take some events.
    let mut cut = 0;
    while cut < 2 && begun.elapsed() < Duration::from_secs(40) {
        change_all(&server, &token, &ids[..2]);
        fast.next("1");
        cut = server.log().matches("\"close\":\"gone\"").count();
    }
    assert_eq!(cut, 2, "after {:?}", begun.elapsed());
    assert!(begun.elapsed() > Duration::from_secs(9), "{:?}", begun.elapsed());
    drop(slow_events);
}

#[test]
fn the_streams_of_a_client_that_reads_nothing_end_with_its_session() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let begin = server.post(&token, "{ taskChanges { cursor } }", &json!({})).json();
    let variables = json!({ "after": begin["data"]["taskChanges"]["cursor"] });
    create_long_tasks(&server, &token);
    // One event is larger than the buffers of the system.
    let query = "subscription($after: String) { taskChanges(after: $after) { cursor changes { task {
        a: description b: description c: description d: description e: description } } } }";
    let mut socket = server.signed_in_web_socket(&token);
    socket.subscribe("1", query, &variables);
    let events = server.post_for_stream(&token, "text/event-stream", query, &variables);
    assert_eq!(events.head.status, 200);
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    server.post(&token, "mutation { logout { success } }", &json!({}));
    let closed = |close: &str| server.log().contains(&format!("\"close\":\"{close}\""));
    wait_until("both have ended", || closed("4401") && closed("cut"));
    let after = begun.elapsed();
    assert!(Duration::from_secs(1) <= after && after < Duration::from_secs(4), "{after:?}");
    drop((socket, events));
}
