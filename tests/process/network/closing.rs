//! Clients that are still sending when the response arrives, and clients that have closed their sending side.

use std::io::Read;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::support::{Client, HttpResponse, Server, ServerEnv, json, operation};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";
/// Much more than the socket buffers of client and server contain.
const BODY_BYTES: usize = 32 << 20;

/// Requests that are refused because of their head, with the status of the response.
const REFUSED: [(&str, u16); 5] = [
    ("POST /nowhere HTTP/1.1\r\ncontent-type: application/json", 404),
    ("PUT /graphql HTTP/1.1\r\ncontent-type: application/json", 405),
    ("POST /healthz HTTP/1.1\r\ncontent-type: application/json", 405),
    ("POST /graphql HTTP/1.1\r\ncontent-type: application/json\r\naccept: image/png", 406),
    ("POST /graphql HTTP/1.1\r\ncontent-type: text/plain", 415),
];

/// Sends a complete request and only then reads the response, as simple HTTP libraries do.
fn send_whole(server: &Server, head: &str, body: &[u8]) -> (Client, HttpResponse) {
    let mut client = server.connect();
    client.send(&format!("{head}\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len()));
    client.try_send(body).expect("the server reads the whole body");
    let response = client.read_response();
    (client, response)
}

#[test]
fn a_client_that_first_sends_its_whole_body_sees_why_it_was_refused() {
    let server = ServerEnv::new().start(&[]);
    let body = vec![b' '; BODY_BYTES];
    let too_large = ("POST /graphql HTTP/1.1\r\ncontent-type: application/json", 413);
    for (head, status) in REFUSED.into_iter().chain([too_large]) {
        let (mut client, response) = send_whole(&server, head, &body);
        assert_eq!((response.status, response.header("connection")), (status, "close"), "{head}");
        assert!(client.is_closed());
    }
}

#[test]
fn requests_after_an_unread_body_are_not_executed() {
    let server = ServerEnv::new().start(&[]);
    for (head, status) in REFUSED {
        let (mut client, response) = send_whole(&server, head, b"{}");
        assert_eq!((response.status, response.header("connection")), (status, "close"), "{head}");
        client.send(HEALTH);
        assert!(client.is_closed(), "{head}");
    }
}

#[test]
fn a_client_that_continues_sending_is_disconnected_after_five_seconds() {
    let server = ServerEnv::new().start(&[]);
    let (head, _) = REFUSED[0];
    let mut client = server.connect();
    client.send(&format!("{head}\r\nhost: test\r\ncontent-length: 1000000\r\n\r\n"));
    assert_eq!(client.read_response().status, 404);
    let begun = Instant::now();
    while client.try_send(b" ").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let seconds = begun.elapsed().as_secs_f32();
    assert!((4.0..7.0).contains(&seconds), "{seconds} s");
}

#[test]
fn a_refusal_of_a_request_whose_body_was_read_keeps_the_connection() {
    let server = ServerEnv::new().start(&[]);
    let mut client = server.connect();
    for (request, status) in [
        ("GET /nowhere HTTP/1.1\r\nhost: test\r\n\r\n".to_owned(), 404),
        ("PUT /graphql HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n".to_owned(), 405),
        (operation("", "{ me { id } }", &json!({})), 401),
        (operation("nonsense", "{ me { id } }", &json!({})), 401),
        (operation("", "{", &json!({})), 200),
        (operation("", "", &json!({})), 400),
        (HEALTH.to_owned(), 200),
    ] {
        client.send(&request);
        let response = client.read_response();
        assert_eq!((response.status, response.header("connection")), (status, ""), "{request}");
    }
}

#[test]
fn a_client_that_closes_its_sending_side_gets_its_response() {
    let server = ServerEnv::new().start(&[]);
    let input = json!({ "input": { "email": "ann@example.com", "password": "correct-horse-1" } });
    // Hashing the password takes long enough that the server sees the closed sending side before it responds.
    let register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
    let two = operation("", "{ serverInfo { version } }", &json!({})) + HEALTH;
    for (requests, responses) in [(operation("", register, &input), 1), (HEALTH.to_owned(), 1), (two, 2)] {
        let mut client = server.connect();
        client.send(&requests);
        client.stream().shutdown(Shutdown::Write).expect("the connection is open");
        for _ in 0..responses {
            let response = client.read_response();
            assert_eq!(response.status, 200, "{requests}");
            assert!(!response.body.contains("errors"), "{}", response.body);
        }
        assert!(client.is_closed());
    }
}

#[test]
fn a_body_that_ends_too_early_is_an_error_of_its_request() {
    let server = ServerEnv::new().start(&[]);
    let request = operation("", "{ serverInfo { version } }", &json!({}));
    let mut client = server.connect();
    client.send(&request[..request.len() - 1]);
    client.stream().shutdown(Shutdown::Write).expect("the connection is open");
    let mut response = String::new();
    client.stream().read_to_string(&mut response).expect("the connection ends");
    assert!(response.is_empty() || response.starts_with("HTTP/1.1 400 "), "{response}");
    assert_eq!(server.get("/healthz").status, 200);
}
