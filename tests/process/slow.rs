//! Clients that take their time: how long they have, and that they are in nobody's way.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::code;
use crate::support::{Client, Place, Server, json, operation};

const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody with so many long tasks that the answer to [`MUCH`] is five megabytes: their token.
pub(super) fn with_much_to_tell(server: &Server) -> String {
    let token = server.register("ann");
    let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
    let inputs = vec![json!({ "title": "long", "description": "x".repeat(20_000) }); 50];
    let reply = server.post(&token, create, &json!({ "inputs": inputs }));
    assert!(reply.json()["errors"].is_null(), "{}", reply.body);
    token
}

const MUCH: &str = "fragment Long on Query { tasks(first: 50) { nodes { description } } }
    { ...Long b: tasks(first: 50) { nodes { description } } c: tasks(first: 50) { nodes { description } }
      d: tasks(first: 50) { nodes { description } } e: tasks(first: 50) { nodes { description } } }";

/// How many bytes the system keeps for a client that does not read.
fn keep(client: &Client, bytes: usize) {
    SockRef::from(client.stream()).set_recv_buffer_size(bytes).expect("the socket takes the option");
}

/// Asks for [`MUCH`] and does not read yet.
pub(super) fn ask_for_much(server: &Server, token: &str, kept: usize) -> Client {
    let mut client = server.connect();
    keep(&client, kept);
    client.send(&operation(token, MUCH, &json!({})));
    client
}

/// Reads [`MUCH`] to its end with a pause before each piece.
fn read_steadily(client: &Client) -> usize {
    let (mut piece, mut taken) = (vec![0; 1 << 17], Vec::new());
    while !taken.ends_with(b"}}") {
        thread::sleep(Duration::from_millis(200));
        let length = client.stream().read(&mut piece).expect("there is more");
        assert!(length > 0, "it was cut after {} bytes", taken.len());
        taken.extend(&piece[..length]);
    }
    taken.len()
}

#[test]
fn who_dawdles_is_cut_after_ten_seconds_and_who_goes_on_steadily_is_not() {
    let server = Place::new().start(&[]);
    let token = with_much_to_tell(&server);
    let steady = ask_for_much(&server, &token, 1 << 16);
    let steady = thread::spawn(move || (read_steadily(&steady), Instant::now()));
    let stuck = ask_for_much(&server, &token, 1 << 12);
    let request = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let [mut silent, mut in_the_head, mut in_the_body] = [0, 20, request.len() - 1].map(|length| {
        let mut client = server.connect();
        client.send(&request[..length]);
        client
    });
    let begun = Instant::now();
    thread::sleep(PATIENCE - Duration::from_secs(1));
    assert_eq!(server.get("/readyz").status, 200);

    assert!(silent.is_closed() && in_the_head.is_closed());
    let reply = in_the_body.reply();
    assert_eq!((reply.status, code(&reply).as_str()), (408, "BAD_REQUEST"));
    assert!(in_the_body.is_closed());
    let waited = begun.elapsed();
    assert!(waited > PATIENCE - Duration::from_millis(500) && waited < 2 * PATIENCE, "{waited:?}");

    thread::sleep(Duration::from_secs(2));
    let mut taken = Vec::new();
    keep(&stuck, 1 << 20);
    // What was on its way still comes; the end may be a reset.
    let _ = stuck.stream().read_to_end(&mut taken);
    assert!((1..2_000_000).contains(&taken.len()), "{} bytes", taken.len());

    let (length, ended) = steady.join().expect("it was not cut");
    assert!(length > 5_000_000 && ended - begun > PATIENCE, "{length} bytes in {:?}", ended - begun);
}
