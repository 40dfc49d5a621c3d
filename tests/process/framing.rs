//! Requests whose length or target two servers could read differently (RFC 9112).

use std::io::{Read, Write};

use crate::support::{Place, Server, json};

const QUERY: &str = r#"{"query":"{__typename}"}"#;
const NEXT: &str = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";

/// Sends bytes and gives the answers: their statuses, and whether each is whole. The server has to close.
fn answers(server: &Server, bytes: &str) -> Vec<u16> {
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
        rest = body.get(length..).unwrap_or_else(|| panic!("it is cut off: {text}"));
    }
    assert!(rest.is_empty(), "{text}");
    statuses
}

/// A POST with a query as its body in one chunk or as it is.
fn post(headers: &str, is_chunked: bool) -> String {
    let body =
        if is_chunked { format!("{:x}\r\n{QUERY}\r\n0\r\n\r\n", QUERY.len()) } else { QUERY.to_owned() };
    format!(
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n{headers}\r\n\r\n{body}"
    )
}

#[test]
fn a_request_of_http_1_1_has_one_host() {
    let server = Place::new().start(&[]);
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
        assert_eq!(answers(&server, &format!("{head}\r\n\r\n{NEXT}")), [expected], "{head}");
    }
}

#[test]
fn a_missing_host_is_an_error_like_others() {
    let server = Place::new().start(&[]);
    let mut client = server.connect();
    client.send("GET /healthz HTTP/1.1\r\n\r\n");
    let reply = client.reply();
    assert_eq!(reply.json()["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    assert_eq!(reply.json()["errors"][0]["extensions"]["requestId"], reply.header("x-request-id"));
}

#[test]
fn what_cannot_be_parsed_is_an_error_like_others() {
    let server = Place::new().start(&[]);
    let long = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(66_000));
    for (bytes, status) in [("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\na : b\r\n\r\n", 400), (&long, 431)]
    {
        let mut client = server.connect();
        // On a connection that has served a request as well.
        client.send(NEXT);
        assert_eq!(client.reply().status, 200);
        client.send(bytes);
        let reply = client.reply();
        assert_eq!((reply.status, reply.header("connection")), (status, "close"));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        let extensions = &reply.json()["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["status"]), (&json!("BAD_REQUEST"), &json!(status)));
        assert_eq!(extensions["requestId"], reply.header("x-request-id"));
        assert!(client.is_closed());
    }
}

#[test]
fn a_request_with_both_lengths_is_the_last_of_its_connection() {
    let server = Place::new().start(&[]);
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "transfer-encoding: chunked\r\ncontent-length: nonsense",
        "content-length: 0\r\ntransfer-encoding: chunked",
    ] {
        let answers = answers(&server, &(post(headers, true) + NEXT));
        assert!(answers == [200] || answers == [400], "{headers}: {answers:?}");
    }
}

#[test]
fn a_length_that_is_not_one_number_is_refused() {
    let server = Place::new().start(&[]);
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
        assert_eq!(answers(&server, &(post(&headers, false) + NEXT)), [400], "{headers:?}");
    }
}

#[test]
fn another_transfer_coding_than_chunked_is_refused() {
    let server = Place::new().start(&[]);
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
        assert_eq!(answers(&server, &(post(headers, true) + NEXT)), [400], "{headers:?}");
    }
    let old = post("transfer-encoding: chunked", true).replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(answers(&server, &(old + NEXT)), [400]);
    let upper = post("Transfer-Encoding: CHUNKED\r\nconnection: close", true);
    assert_eq!(answers(&server, &upper), [200]);
}

#[test]
fn chunks_that_are_none_are_refused() {
    let server = Place::new().start(&[]);
    let head = post("transfer-encoding: chunked", false).replace(QUERY, "");
    for body in ["x\r\n", "-1\r\n", "2\r\n{}x\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "\r\n0\r\n\r\n"] {
        let answers = answers(&server, &format!("{head}{body}{NEXT}"));
        assert_eq!(answers, [400], "{body:?}");
    }
}

#[test]
fn a_head_that_is_too_large_is_answered() {
    let server = Place::new().start(&[]);
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
        assert_eq!(answers(&server, &head), [expected], "{} bytes", head.len());
    }
}

#[test]
fn other_protocols_are_refused_or_ignored() {
    let server = Place::new().start(&[]);
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
        assert_eq!(answers(&server, bytes), expected, "{bytes}");
    }
}
