//! Raw requests: incomplete and malformed ones, chunked bodies, pipelining and request ids.

use crate::support::{HttpResponse, Server, ServerEnv, json, operation};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";

fn start() -> Server {
    ServerEnv::new().start(&[])
}

#[test]
fn clients_that_disconnect_during_a_request_do_no_harm() {
    let server = start();
    let whole = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    for length in [0, 1, 20, whole.len() / 2, whole.len() - 1, whole.len()] {
        server.connect().send(&whole[..length]);
    }
    assert_eq!(server.get("/readyz").status, 200);
    assert!(!server.stop().contains("panicked"));
}

#[test]
fn bytes_that_are_not_http_are_refused_and_do_no_harm() {
    let server = start();
    for bytes in
        ["hello\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\r\n\r\n", "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n"]
    {
        let mut client = server.connect();
        client.send(bytes);
        assert_eq!(client.read_response().status, 400, "{bytes:?}");
        assert!(client.is_closed());
    }
    assert_eq!(server.get("/healthz").status, 200);
}

/// Posts a body in chunks, followed by `end`; an empty `end` leaves the body incomplete.
fn post_chunks(server: &Server, chunks: &[&str], end: &str) -> HttpResponse {
    let mut client = server.connect();
    client.send(
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n",
    );
    for chunk in chunks {
        client.send(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    client.send(end);
    client.read_response()
}

#[test]
fn a_body_in_chunks_is_read() {
    let response =
        post_chunks(&start(), &["{\"query\": \"{ serverInfo", " { registrationOpen } }\"}"], "0\r\n\r\n");
    assert_eq!(response.json()["data"]["serverInfo"]["registrationOpen"], true);
}

#[test]
fn a_body_without_length_is_cut_off_at_the_limit() {
    let chunk = " ".repeat(1 << 16);
    let mut chunks = vec![chunk.as_str(); 16];
    chunks.push("{");
    let server = start();
    let response = post_chunks(&server, &chunks, "");
    assert_eq!(
        (response.status, &response.json()["errors"][0]["extensions"]["code"]),
        (413, &json!("BAD_REQUEST"))
    );
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_connection_serves_one_request_after_another() {
    let server = start();
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(HEALTH);
        assert_eq!(client.read_response().body, "ok\n");
        client.send(&operation("", "{ serverInfo { registrationOpen } }", &json!({})));
        assert_eq!(client.read_response().status, 200);
    }
    client.send(&HEALTH.repeat(3));
    for _ in 0..3 {
        assert_eq!(client.read_response().status, 200);
    }
    client.send("GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    assert_eq!(client.read_response().status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_valid_request_id_is_kept_and_any_other_is_replaced() {
    let server = start();
    let returned_id = |id: &str| {
        let mut client = server.connect();
        client.send(&format!("GET /healthz HTTP/1.1\r\nhost: test\r\nx-request-id: {id}\r\n\r\n"));
        let response = client.read_response();
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        response.header("x-request-id").to_owned()
    };
    let longest = "x".repeat(128);
    for harmless in ["1", "A.b_c-9", &longest] {
        assert_eq!(returned_id(harmless), harmless);
    }
    for harmful in ["", "a b", "a/b", "a\tb", "\"", "<script>", "ä", &"x".repeat(129)] {
        let id = returned_id(harmful);
        assert_ne!(id, harmful);
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{harmful} became {id}");
    }
}

#[test]
fn every_response_has_a_unique_request_id() {
    let server = start();
    let ids = ["/healthz", "/graphql", "/nowhere", "/"]
        .map(|path| server.get(path).header("x-request-id").to_owned());
    let different: std::collections::HashSet<_> = ids.iter().collect();
    assert!(different.len() == ids.len() && !different.contains(&String::new()), "{ids:?}");
}
