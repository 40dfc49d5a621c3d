//! The close codes of WebSockets, and that each has its reason.

use std::time::{Duration, Instant};

use tungstenite::Message;

use super::SUBSCRIBE;
use crate::support::{Server, ServerEnv, SocketClient, Value, json};

/// Sends texts one after the other on a new WebSocket. Returns the close frame.
fn closed_after(server: &Server, texts: &[String]) -> String {
    let mut socket = server.web_socket();
    for text in texts {
        socket.send_frame(Message::text(text.clone()));
    }
    socket.close_frame()
}

fn init(payload: &Value) -> String {
    json!({ "type": "connection_init", "payload": payload }).to_string()
}

#[test]
fn connection_init_needs_a_valid_token() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let bearer = format!("Bearer {token}");
    for payload in [
        json!({ "authorization": bearer }),
        json!({ "Authorization": bearer, "other": [1] }),
        json!({ "AUTHORIZATION": format!("bearer  {token} "), "lastEventId": null }),
    ] {
        server.web_socket().initialize(&payload);
    }
    let cut = &token[..token.len() - 2];
    for (payload, close) in [
        (Value::Null, "4401 Authentication required"),
        (json!({}), "4401 Authentication required"),
        (json!({ "authorization": format!("Basic {token}") }), "4401 Authentication required"),
        (json!({ "authorization": null }), "4401 Authentication required"),
        (json!({ "authorization": "Bearer" }), "4401 Invalid token"),
        (json!({ "authorization": format!("Bearer {cut}") }), "4401 Invalid token"),
        (json!({ "authorization": 1 }), "4400 Invalid message"),
        (json!({ "authorization": bearer, "lastEventId": 1 }), "4400 Invalid message"),
        (json!([]), "4400 Invalid message"),
        (json!("text"), "4400 Invalid message"),
    ] {
        assert_eq!(closed_after(&server, &[init(&payload)]), close, "{payload}");
    }
    server.post(&token, "mutation { logout { success } }", &json!({}));
    assert_eq!(closed_after(&server, &[init(&json!({ "authorization": bearer }))]), "4401 Invalid token");
}

#[test]
fn the_header_of_the_handshake_counts_if_the_payload_has_no_token() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    for (payload, is_accepted) in [
        (Value::Null, true),
        (json!({ "authorization": null }), true),
        (json!({ "authorization": "Bearer wrong" }), false),
    ] {
        let mut socket = SocketClient::open_with(&server.address, &format!("Bearer {token}"));
        if is_accepted {
            socket.initialize(&payload);
        } else {
            socket.send(&json!({ "type": "connection_init", "payload": payload }));
            assert_eq!(socket.close_frame(), "4401 Invalid token");
        }
    }
}

#[test]
fn an_expired_token_has_a_close_code_after_which_clients_connect_again() {
    let server = ServerEnv::new().with("ACCESS_TOKEN_TTL", "2s").start(&[]);
    let token = server.register("ann");
    let mut socket = server.signed_in_web_socket(&token);
    socket.subscribe("1", SUBSCRIBE, &json!({}));
    let begun = Instant::now();
    assert_eq!(socket.close_frame(), "4403 Token has expired");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let init = init(&json!({ "authorization": format!("Bearer {token}") }));
    assert_eq!(closed_after(&server, &[init]), "4403 Token has expired");
}

#[test]
fn an_invalid_message_closes_the_connection() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let init = init(&json!({ "authorization": format!("Bearer {token}") }));
    let query = json!({ "query": "{ serverInfo { version } }" });
    let subscribe =
        |id: Value, payload: Value| json!({ "type": "subscribe", "id": id, "payload": payload }).to_string();
    for text in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "[\"ping\"]".to_owned(),
        "{}".to_owned(),
        json!({ "type": 1 }).to_string(),
        json!({ "type": "start" }).to_string(),
        json!({ "type": "connection_ack" }).to_string(),
        json!({ "type": "ping", "payload": "text" }).to_string(),
        json!({ "type": "complete" }).to_string(),
        json!({ "type": "complete", "id": 1 }).to_string(),
        json!({ "type": "subscribe", "payload": query }).to_string(),
        json!({ "type": "subscribe", "id": "1" }).to_string(),
        subscribe(json!(1), query.clone()),
        subscribe(json!(""), query.clone()),
        subscribe(json!("x".repeat(65)), query.clone()),
        subscribe(json!("1"), json!([])),
        subscribe(json!("1"), json!({})),
        subscribe(json!("1"), json!({ "query": " " })),
        subscribe(json!("1"), json!({ "query": 1 })),
        subscribe(json!("1"), json!({ "query": "{ serverInfo { version } }", "variables": [] })),
        subscribe(json!("1"), json!({ "query": "{ serverInfo { version } }", "operationName": 1 })),
        subscribe(json!("1"), json!({ "extensions": { "persistedQuery": { "version": 2 } } })),
    ] {
        assert_eq!(closed_after(&server, &[init.clone(), text.clone()]), "4400 Invalid message", "{text}");
    }
    let mut socket = server.signed_in_web_socket(&token);
    socket.send_frame(Message::binary("{}"));
    assert_eq!(socket.close_frame(), "4400 Invalid message");
}

#[test]
fn the_order_of_the_protocol_is_enforced() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let init = init(&json!({ "authorization": format!("Bearer {token}") }));
    let payload = json!({ "query": SUBSCRIBE });
    let subscribe = |id: &str| json!({ "type": "subscribe", "id": id, "payload": payload }).to_string();
    let long = "x".repeat(64);
    for (texts, close) in [
        (vec![subscribe("1")], "4401 Unauthorized"),
        (vec![init.clone(), init.clone()], "4429 Too many initialisation requests"),
        (vec![init.clone(), subscribe("a"), subscribe("a")], "4409 Subscriber for a already exists"),
        (
            vec![init.clone(), subscribe(&long), subscribe(&long)],
            &format!("4409 Subscriber for {long} already exists"),
        ),
    ] {
        assert_eq!(closed_after(&server, &texts), close);
    }
}

#[test]
fn a_message_of_64_kib_is_read_and_a_longer_one_is_too_big() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let of_length = |length: usize| {
        let text = json!({ "type": "ping", "payload": { "text": "" } }).to_string();
        text.replace("\"text\":\"\"", &format!("\"text\":\"{}\"", "x".repeat(length - text.len())))
    };
    let mut socket = server.signed_in_web_socket(&token);
    socket.send_frame(Message::text(of_length(64 << 10)));
    assert_eq!(socket.receive()["type"], "pong");
    for length in [(64 << 10) + 1, 16 << 20] {
        let mut socket = server.signed_in_web_socket(&token);
        socket.send_frame(Message::text(of_length(length)));
        assert_eq!(socket.close_frame(), "1009 Message too big");
    }
}

#[test]
fn a_client_that_does_not_initialize_the_connection_has_ten_seconds() {
    let server = ServerEnv::new().start(&[]);
    let mut socket = server.web_socket();
    let begun = Instant::now();
    // A ping is no initialization.
    socket.send(&json!({ "type": "ping", "payload": { "a": 1 } }));
    assert_eq!(socket.receive(), json!({ "type": "pong", "payload": { "a": 1 } }));
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(socket.close_frame(), "4408 Connection initialisation timeout");
    assert!((9.5..13.0).contains(&begun.elapsed().as_secs_f32()), "{:?}", begun.elapsed());
}

#[test]
fn a_client_that_sends_nothing_is_pinged_and_then_disconnected() {
    let server = ServerEnv::new().with("STREAM_KEEPALIVE", "1s").start(&[]);
    let token = server.register("ann");
    let mut alive = server.signed_in_web_socket(&token);
    alive.assert_silent_for(Duration::from_millis(3500));
    // The third one comes half a second before the end, which a busy machine may miss.
    assert!((2..=3).contains(&alive.pings), "{}", alive.pings);
    // This client answers no ping. The server waits a second for the answer to its close frame.
    let mut silent = server.signed_in_web_socket(&token);
    std::thread::sleep(Duration::from_millis(100));
    silent.send(&json!({ "type": "pong" }));
    let begun = Instant::now();
    let received = silent.rest();
    assert!(received.contains("Ping timeout"), "{received}");
    // A ping without a payload is the byte 0x89, which is not UTF-8, and a zero.
    assert_eq!(received.matches("\u{fffd}\0").count(), 2, "{received:?}");
    assert!((2.9..6.0).contains(&begun.elapsed().as_secs_f32()), "{:?}", begun.elapsed());
}

#[test]
fn a_close_frame_arrives_although_the_client_is_still_sending() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    // Frames with a mask of zeros: text that is not UTF-8, an unknown opcode, and a message that is too big.
    for (head, close) in [
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], "4400 Invalid message"),
        (&[0x83, 0x80, 0, 0, 0, 0], "4400 Invalid message"),
        (&[0x81, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], "1009 Message too big"),
    ] {
        let mut socket = server.signed_in_web_socket(&token);
        socket.send_bytes(head);
        socket.send_bytes(&vec![0; 8 << 20]);
        assert_eq!(socket.close_frame(), close);
    }
}
