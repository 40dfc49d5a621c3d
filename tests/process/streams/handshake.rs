//! The handshake of a WebSocket: what is accepted, and what is refused with an HTTP status.

use crate::support::{HttpResponse, Server, ServerEnv, json};

/// Sends a handshake in which a line has been replaced, or another line added.
fn shake_hands(server: &Server, replaced: &str, by: &str) -> HttpResponse {
    let handshake = "GET /graphql HTTP/1.1\r\nhost: api.example.com\r\nconnection: keep-alive, Upgrade\r\n\
                     upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                     sec-websocket-protocol: graphql-transport-ws\r\n";
    assert!(handshake.contains(replaced), "{replaced}");
    let mut client = server.connect();
    client.send(&format!("{}\r\n", handshake.replacen(replaced, by, 1)));
    client.read_response()
}

#[test]
fn a_handshake_is_accepted_with_the_subprotocol_and_a_request_id() {
    let server = ServerEnv::new().with("CORS_ORIGINS", "https://app.example.com").start(&[]);
    let host = "host: api.example.com\r\n";
    for (replaced, by) in [
        (host, host.to_owned()),
        ("websocket\r\n", "WebSocket\r\n".to_owned()),
        ("protocol: ", "protocol: graphql-ws, ".to_owned()),
        (host, format!("{host}origin: https://app.example.com\r\n")),
        (host, format!("{host}origin: https://api.example.com\r\n")),
        (host, "host: api.example.com:443\r\norigin: https://api.example.com\r\n".to_owned()),
    ] {
        let response = shake_hands(&server, replaced, &by);
        assert_eq!(response.status, 101, "{by}");
        assert_eq!(response.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.header("sec-websocket-protocol"), "graphql-transport-ws");
        assert_eq!(response.header("sec-websocket-extensions"), "");
        assert_eq!(response.header("x-request-id").len(), 36);
    }
}

#[test]
fn a_handshake_is_refused_with_a_status_and_an_error() {
    let server = ServerEnv::new().with("CORS_ORIGINS", "https://app.example.com").start(&[]);
    let host = "host: api.example.com\r\n";
    for (replaced, by, status, code) in [
        ("graphql-transport-ws", "graphql-ws".to_owned(), 400, "BAD_REQUEST"),
        ("sec-websocket-protocol: graphql-transport-ws\r\n", String::new(), 400, "BAD_REQUEST"),
        ("version: 13", "version: 8".to_owned(), 400, "BAD_REQUEST"),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", String::new(), 400, "BAD_REQUEST"),
        (host, format!("{host}authorization: a\r\nauthorization: b\r\n"), 400, "BAD_REQUEST"),
        (host, format!("{host}origin: https://evil.example.com\r\n"), 403, "FORBIDDEN"),
        (host, format!("{host}origin: null\r\n"), 403, "FORBIDDEN"),
        (host, format!("{host}origin: http://app.example.com\r\n"), 403, "FORBIDDEN"),
    ] {
        let response = shake_hands(&server, replaced, &by);
        assert_eq!(response.status, status, "{by}");
        let extensions = &response.json()["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["status"]), (&json!(code), &json!(status)), "{by}");
        assert_eq!(extensions["requestId"], response.header("x-request-id"));
    }
}
