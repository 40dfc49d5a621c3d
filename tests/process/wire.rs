//! Bytes on the wire: what clients send that no HTTP library would.

use crate::support::{Place, Reply, Server, json, operation};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";

fn start() -> Server {
    Place::new().start(&[])
}

#[test]
fn clients_that_leave_in_the_middle_do_no_harm() {
    let server = start();
    let whole = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    for length in [0, 1, 20, whole.len() / 2, whole.len() - 1, whole.len()] {
        server.connect().send(&whole[..length]);
    }
    assert_eq!(server.get("/readyz").status, 200);
    assert!(!server.stop().contains("panicked"));
}

#[test]
fn what_is_not_http_is_refused_and_does_no_harm() {
    let server = start();
    for bytes in
        ["hello\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\r\n\r\n", "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n"]
    {
        let mut client = server.connect();
        client.send(bytes);
        assert_eq!(client.reply().status, 400, "{bytes:?}");
        assert!(client.is_closed());
    }
    assert_eq!(server.get("/healthz").status, 200);
}

/// Posts a body in chunks, the last of which is left out when the server is not to see the end.
fn post_chunks(server: &Server, chunks: &[&str], end: &str) -> Reply {
    let mut client = server.connect();
    client.send(
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n",
    );
    for chunk in chunks {
        client.send(&format!("{:x}\r\n{chunk}\r\n", chunk.len()));
    }
    client.send(end);
    client.reply()
}

#[test]
fn a_body_in_chunks_is_read() {
    let reply =
        post_chunks(&start(), &["{\"query\": \"{ serverInfo", " { registrationOpen } }\"}"], "0\r\n\r\n");
    assert_eq!(reply.json()["data"]["serverInfo"]["registrationOpen"], true);
}

#[test]
fn a_body_without_length_is_cut_off_at_the_limit() {
    let piece = " ".repeat(1 << 16);
    let mut chunks = vec![piece.as_str(); 16];
    chunks.push("{");
    let server = start();
    let reply = post_chunks(&server, &chunks, "");
    assert_eq!(
        (reply.status, &reply.json()["errors"][0]["extensions"]["code"]),
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
        assert_eq!(client.reply().body, "ok\n");
        client.send(&operation("", "{ serverInfo { registrationOpen } }", &json!({})));
        assert_eq!(client.reply().status, 200);
    }
    client.send(&HEALTH.repeat(3));
    for _ in 0..3 {
        assert_eq!(client.reply().status, 200);
    }
    client.send("GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    assert_eq!(client.reply().status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_request_id_is_kept_when_it_is_harmless_and_replaced_when_not() {
    let server = start();
    let answered = |id: &str| {
        let mut client = server.connect();
        client.send(&format!("GET /healthz HTTP/1.1\r\nhost: test\r\nx-request-id: {id}\r\n\r\n"));
        let reply = client.reply();
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        reply.header("x-request-id").to_owned()
    };
    let longest = "x".repeat(128);
    for harmless in ["1", "A.b_c-9", &longest] {
        assert_eq!(answered(harmless), harmless);
    }
    for harmful in ["", "a b", "a/b", "a\tb", "\"", "<script>", "ä", &"x".repeat(129)] {
        let id = answered(harmful);
        assert_ne!(id, harmful);
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{harmful} became {id}");
    }
}

#[test]
fn every_answer_has_a_request_id_of_its_own() {
    let server = start();
    let ids = ["/healthz", "/graphql", "/nowhere", "/"]
        .map(|path| server.get(path).header("x-request-id").to_owned());
    let different: std::collections::HashSet<_> = ids.iter().collect();
    assert!(different.len() == ids.len() && !different.contains(&String::new()), "{ids:?}");
}
