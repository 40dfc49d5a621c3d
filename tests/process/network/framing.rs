//! Requests whose length or target two servers could interpret differently (request smuggling, RFC 9112).

use std::io::{Read, Write};

use crate::support::{Server, ServerEnv, json};

const QUERY: &str = r#"{"query":"{__typename}"}"#;
const NEXT: &str = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";

/// Sends bytes and returns the statuses of the responses, which must be complete. The server must close the
/// connection.
fn statuses_of(server: &Server, bytes: &str) -> Vec<u16> {
    let client = server.connect();
    client.stream().write_all(bytes.as_bytes()).expect("the server reads");
    let mut text = String::new();
    client.stream().read_to_string(&mut text).expect("the server closes");
    let mut statuses = Vec::new();
    let mut rest = text.as_str();
    while let Some((head, body)) = rest.split_once("\r\n\r\n") {
        let status = head.strip_prefix("HTTP/1.1 ").or(head.strip_prefix("HTTP/1.0 "));
        let status = status.and_then(|status| status.get(..3)).and_then(|status| status.parse().ok());
        statuses.push(status.unwrap_or_else(|| panic!("no status line: {text}")));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
        rest = body.get(length..).unwrap_or_else(|| panic!("incomplete response: {text}"));
    }
    assert!(rest.is_empty(), "{text}");
    statuses
}

/// A POST request with a query as its body, in one chunk or without chunks.
fn post(headers: &str, is_chunked: bool) -> String {
    let body =
        if is_chunked { format!("{:x}\r\n{QUERY}\r\n0\r\n\r\n", QUERY.len()) } else { QUERY.to_owned() };
    format!(
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n{headers}\r\n\r\n{body}"
    )
}

#[test]
fn a_request_of_http_1_1_has_one_host() {
    let server = ServerEnv::new().start(&[]);
    for (head, expected) in [
        ("GET /healthz HTTP/1.1", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: a", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nHost: b", 400),
        ("GET /healthz HTTP/1.0\r\nhost: a\r\nhost: b", 400),
        ("GET /healthz HTTP/1.0", 200),
        ("GET /healthz HTTP/1.0\r\nhost: a", 200),
        ("GET http://a/healthz HTTP/1.1\r\nhost: a\r\nconnection: close", 200),
        ("GET /healthz HTTP/1.1\r\nhost:\r\nconnection: close", 200),
    ] {
        assert_eq!(statuses_of(&server, &format!("{head}\r\n\r\n{NEXT}")), [expected], "{head}");
    }
}

#[test]
fn a_missing_host_is_reported_in_the_standard_error_format() {
    let server = ServerEnv::new().start(&[]);
    let mut client = server.connect();
    client.send("GET /healthz HTTP/1.1\r\n\r\n");
    let response = client.read_response();
    assert_eq!(response.json()["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert_eq!(response.json()["errors"][0]["extensions"]["requestId"], response.header("x-request-id"));
}

#[test]
fn a_malformed_request_is_reported_in_the_standard_error_format() {
    let server = ServerEnv::new().start(&[]);
    let long = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(66_000));
    for (bytes, status) in [("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\na : b\r\n\r\n", 400), (&long, 431)]
    {
        let mut client = server.connect();
        // The connection has already served a request.
        client.send(NEXT);
        assert_eq!(client.read_response().status, 200);
        client.send(bytes);
        let response = client.read_response();
        assert_eq!((response.status, response.header("connection")), (status, "close"));
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        let extensions = &response.json()["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["status"]), (&json!("BAD_REQUEST"), &json!(status)));
        assert_eq!(extensions["requestId"], response.header("x-request-id"));
        assert!(client.is_closed());
    }
}

#[test]
fn a_request_with_both_lengths_ends_its_connection() {
    let server = ServerEnv::new().start(&[]);
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "transfer-encoding: chunked\r\ncontent-length: nonsense",
        "content-length: 0\r\ntransfer-encoding: chunked",
    ] {
        let statuses = statuses_of(&server, &(post(headers, true) + NEXT));
        assert!(statuses == [200] || statuses == [400], "{headers}: {statuses:?}");
    }
}

#[test]
fn a_content_length_that_is_not_a_single_number_is_refused() {
    let server = ServerEnv::new().start(&[]);
    let length = QUERY.len();
    for headers in [
        format!("content-length: {length}\r\ncontent-length: {}", length - 1),
        format!("content-length: {length}, {length}"),
        format!("content-length: +{length}"),
        format!("content-length: 0x{length:x}"),
        "content-length: -1".to_owned(),
        "content-length:".to_owned(),
        "content-length: 18446744073709551616".to_owned(),
        format!("content-length : {length}"),
        format!("content-length: {length}\r\n continued"),
        format!("\u{b}content-length: {length}"),
    ] {
        assert_eq!(statuses_of(&server, &(post(&headers, false) + NEXT)), [400], "{headers:?}");
    }
}

#[test]
fn transfer_codings_other_than_chunked_are_refused() {
    let server = ServerEnv::new().start(&[]);
    for headers in [
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: chunked, chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: gzip\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: identity",
        "transfer-encoding: xchunked",
        "transfer-encoding: \u{b}chunked",
        "transfer-encoding:",
        "transfer-encoding : chunked",
        "transfer-encoding\r\n: chunked",
    ] {
        assert_eq!(statuses_of(&server, &(post(headers, true) + NEXT)), [400], "{headers:?}");
    }
    let old = post("transfer-encoding: chunked", true).replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(statuses_of(&server, &(old + NEXT)), [400]);
    let upper = post("Transfer-Encoding: CHUNKED\r\nconnection: close", true);
    assert_eq!(statuses_of(&server, &upper), [200]);
}

#[test]
fn malformed_chunks_are_refused() {
    let server = ServerEnv::new().start(&[]);
    let head = post("transfer-encoding: chunked", false).replace(QUERY, "");
    for body in ["x\r\n", "-1\r\n", "2\r\n{}x\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "\r\n0\r\n\r\n"] {
        let statuses = statuses_of(&server, &format!("{head}{body}{NEXT}"));
        assert_eq!(statuses, [400], "{body:?}");
    }
}

#[test]
fn a_head_that_is_too_large_gets_a_431_response() {
    let server = ServerEnv::new().start(&[]);
    let long = "x".repeat(66_000);
    let many = "a: b\r\n".repeat(101);
    for (head, expected) in [
        (format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"), 431),
        (format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", long.repeat(20)), 431),
        (format!("GET /healthz HTTP/1.1\r\nhost: a\r\n{many}\r\n"), 431),
        (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), 431),
        (
            format!(
                "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {}\r\n\r\n",
                &long[..60_000]
            ),
            200,
        ),
    ] {
        assert_eq!(statuses_of(&server, &head), [expected], "{} bytes", head.len());
    }
}

#[test]
fn other_protocols_are_refused_or_ignored() {
    let server = ServerEnv::new().start(&[]);
    for (bytes, expected) in [
        ("GET /healthz HTTP/2.0\r\nhost: a\r\n\r\n", vec![400]),
        ("GET /healthz\r\n\r\n", vec![400]),
        ("CONNECT a:80 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", vec![404]),
        (
            "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n\
             GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
            vec![200, 200],
        ),
    ] {
        assert_eq!(statuses_of(&server, bytes), expected, "{bytes}");
    }
}
