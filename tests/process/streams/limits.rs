//! The limits of streams: in total, for each user, and within the limits of connections.

use super::SUBSCRIBE;
use crate::support::{Server, ServerEnv, SocketClient, json, wait_until};

const EVENTS: &str = "text/event-stream";

fn bearer(token: &str) -> serde_json::Value {
    json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } })
}

fn event_stream(server: &Server, token: &str) -> crate::support::HttpStreamClient {
    server.post_for_stream(token, EVENTS, SUBSCRIBE, &json!({}))
}

#[test]
fn a_user_has_a_limited_number_of_streams_of_all_transports() {
    let server = ServerEnv::new().with("LIMIT_STREAMS_PER_USER", "2").start(&[]);
    let (ann, bob) = (server.register("ann"), server.register("bob"));
    let socket = server.signed_in_web_socket(&ann);
    let mut stream = event_stream(&server, &ann);
    stream.event();

    let refused = event_stream(&server, &ann).head;
    let error = &refused.json()["errors"][0]["extensions"];
    assert_eq!((refused.status, &error["code"]), (429, &json!("RATE_LIMITED")));
    assert_eq!(error["retryAfter"].to_string(), refused.header("retry-after"));
    let mut another = server.web_socket();
    another.send(&bearer(&ann));
    assert_eq!(another.close_frame(), "1013 Too many connections");
    let _of_another_user = server.signed_in_web_socket(&bob);
    // A query is no stream.
    assert_eq!(server.post(&ann, "{ me { id } }", &json!({})).status, 200);

    drop(socket);
    wait_until("the place is free", || event_stream(&server, &ann).head.status == 200);
    drop(stream);
    wait_until("the places are free", || {
        let mut socket = server.web_socket();
        socket.send(&bearer(&ann));
        socket.try_receive().is_ok_and(|message| message["type"] == "connection_ack")
    });
}

#[test]
fn an_instance_has_a_limited_number_of_streams() {
    let server = ServerEnv::new().with("LIMIT_STREAMS", "2").start(&[]);
    let token = server.register("ann");
    let mut early = server.web_socket();
    let _first = server.signed_in_web_socket(&token);
    let mut second = event_stream(&server, &token);
    second.event();
    let refused = event_stream(&server, &token).head;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE");
    let mut client = server.connect();
    client.send(
        "GET /graphql HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: graphql-transport-ws\r\n\r\n",
    );
    let refused = client.read_response();
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    early.send(&bearer(&token));
    assert_eq!(early.close_frame(), "1013 Too many connections");
}

#[test]
fn a_websocket_without_a_token_is_closed_for_another_connection_and_a_stream_is_not() {
    let server = ServerEnv::new()
        .with("LIMIT_CONNECTIONS", "4")
        .with("LIMIT_CONNECTIONS_PER_ADDRESS", "0")
        .with("LIMIT_STREAMS", "3")
        .start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    let mut stream = event_stream(&server, &token);
    stream.event();
    for _ in 0..3 {
        let mut idle = SocketClient::open(&server.address);
        let _two_more = [server.connect(), server.connect()];
        assert_eq!(idle.close_frame(), "1013 Try again later");
    }
    server.post(&token, super::CREATE, &json!({ "input": { "title": "one" } }));
    stream.event();
    socket.subscribe("1", SUBSCRIBE, &json!({}));
    socket.next("1");
}

#[test]
fn the_limit_of_streams_is_below_that_of_connections() {
    for (options, message) in [
        (
            &[("LIMIT_STREAMS", "4096")][..],
            "LIMIT_STREAMS is 4096; it must be below LIMIT_CONNECTIONS, which is 4096",
        ),
        (
            &[("LIMIT_STREAMS", "10"), ("LIMIT_CONNECTIONS", "8")],
            "LIMIT_STREAMS is 10; it must be below LIMIT_CONNECTIONS, which is 8",
        ),
        (&[("STREAM_KEEPALIVE", "500ms")], "STREAM_KEEPALIVE must be a time from 1s to 5m, not \"500ms\""),
        (&[("STREAM_KEEPALIVE", "6m")], "STREAM_KEEPALIVE must be a time from 1s to 5m, not \"6m\""),
    ] {
        let env = options.iter().fold(ServerEnv::new(), |env, (option, value)| env.with(option, value));
        let run = env.run(&[]);
        assert!(!run.success && run.stderr.contains(message), "{options:?}: {}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_limit_of_streams_is_lowered_with_that_of_connections() {
    let env = ServerEnv::new()
        .with("LIMIT_STREAMS", "1000")
        .with("LIMIT_CONNECTIONS_PER_ADDRESS", "0")
        .after_shell_command("ulimit -n 128");
    let server = env.start(&[]);
    let token = server.register("ann");
    // 128 files, without the server's own (64) and 3 for each of 10 connections of the database.
    let limit = (128 - 64 - 30) / 4 * 3 + 1;
    let limits =
        server.post(&token, "{ serverInfo { limits { streamsPerUser operationsPerSocket } } }", &json!({}));
    let expected = json!({ "streamsPerUser": 32, "operationsPerSocket": 16 });
    assert_eq!(limits.json()["data"]["serverInfo"]["limits"], expected);
    let bob = server.register("bob");
    let mut open = Vec::new();
    for number in 0..limit {
        open.push(server.signed_in_web_socket(if number % 2 == 0 { &token } else { &bob }));
    }
    assert_eq!(event_stream(&server, &bob).head.status, 503);
}
