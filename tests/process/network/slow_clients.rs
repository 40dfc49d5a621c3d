//! Slow clients: the time limits for sending a request and reading a response, and that others are not
//! delayed.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::process::code;
use crate::support::{Client, Server, ServerEnv, json, operation};

const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Registers a user with long tasks, for whom the response to [`LARGE_QUERY`] is five megabytes. Returns the
/// token.
pub(in crate::process) fn register_with_long_tasks(server: &Server) -> String {
    let token = server.register("ann");
    let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
    let inputs = vec![json!({ "title": "long", "description": "x".repeat(20_000) }); 50];
    let response = server.post(&token, create, &json!({ "inputs": inputs }));
    assert!(response.json()["errors"].is_null(), "{}", response.body);
    token
}

const LARGE_QUERY: &str = "fragment Long on Query { tasks(first: 50) { nodes { description } } }
    { ...Long b: tasks(first: 50) { nodes { description } } c: tasks(first: 50) { nodes { description } }
      d: tasks(first: 50) { nodes { description } } e: tasks(first: 50) { nodes { description } } }";

/// Sets the size of the client's receive buffer.
fn set_receive_buffer(client: &Client, bytes: usize) {
    SockRef::from(client.stream()).set_recv_buffer_size(bytes).expect("the socket takes the option");
}

/// Sends [`LARGE_QUERY`] without reading the response.
pub(in crate::process) fn request_large_response(
    server: &Server,
    token: &str,
    buffer_bytes: usize,
) -> Client {
    let mut client = server.connect();
    set_receive_buffer(&client, buffer_bytes);
    client.send(&operation(token, LARGE_QUERY, &json!({})));
    client
}

/// Reads the response to [`LARGE_QUERY`] completely, with a pause before each chunk. Returns its length.
fn read_steadily(client: &Client) -> usize {
    let (mut chunk, mut received) = (vec![0; 1 << 17], Vec::new());
    while !received.ends_with(b"}}") {
        thread::sleep(Duration::from_millis(200));
        let length = client.stream().read(&mut chunk).expect("the response continues");
        assert!(length > 0, "the connection was closed after {} bytes", received.len());
        received.extend(&chunk[..length]);
    }
    received.len()
}

#[test]
fn stalled_clients_are_disconnected_after_ten_seconds_and_slow_but_steady_ones_are_not() {
    let server = ServerEnv::new().start(&[]);
    let token = register_with_long_tasks(&server);
    let steady = request_large_response(&server, &token, 1 << 16);
    let steady = thread::spawn(move || (read_steadily(&steady), Instant::now()));
    let not_reading = request_large_response(&server, &token, 1 << 12);
    let request = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let [mut silent, mut in_the_head, mut in_the_body] = [0, 20, request.len() - 1].map(|length| {
        let mut client = server.connect();
        client.send(&request[..length]);
        client
    });
    let begun = Instant::now();
    thread::sleep(CLIENT_TIMEOUT - Duration::from_secs(1));
    assert_eq!(server.get("/readyz").status, 200);

    assert!(silent.is_closed() && in_the_head.is_closed());
    let response = in_the_body.read_response();
    assert_eq!((response.status, code(&response).as_str()), (408, "BAD_REQUEST"));
    assert!(in_the_body.is_closed());
    let waited = begun.elapsed();
    assert!(
        waited > CLIENT_TIMEOUT - Duration::from_millis(500) && waited < 2 * CLIENT_TIMEOUT,
        "{waited:?}"
    );

    thread::sleep(Duration::from_secs(2));
    let mut received = Vec::new();
    set_receive_buffer(&not_reading, 1 << 20);
    // Data in transit still arrives; the connection may end with a reset.
    let _ = not_reading.stream().read_to_end(&mut received);
    assert!((1..2_000_000).contains(&received.len()), "{} bytes", received.len());

    let (length, ended) = steady.join().expect("the connection stayed open");
    assert!(length > 5_000_000 && ended - begun > CLIENT_TIMEOUT, "{length} bytes in {:?}", ended - begun);
}
