//! A clean stop.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use super::slow::{ask_for_much, with_much_to_tell};
use crate::support::{Place, json, operation, wait_until};

const AT_ONCE: Duration = Duration::from_secs(3);

/// A request in two halves, the second of which completes its body.
fn halves() -> (String, String) {
    let request = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let (first, second) = request.split_at(request.len() - 10);
    (first.to_owned(), second.to_owned())
}

fn a_stop_finishes_what_is_in_flight(signal: &str) {
    let mut server = Place::new().with("SHUTDOWN_GRACE", "2s").start(&[]);
    let mut slow = server.connect();
    let (first, second) = halves();
    slow.send(&first);
    assert_eq!(server.get("/readyz").status, 200);

    server.signal(signal);
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    assert_eq!(server.get("/healthz").status, 200);
    let token = server.register("ann");
    assert!(!token.is_empty(), "who has not learnt of it is still served");
    wait_until("the listener closes", || !server.accepts());

    slow.send(&second);
    let reply = slow.reply();
    assert_eq!((reply.status, reply.header("connection")), (200, "close"));
    assert_eq!(reply.json()["data"]["serverInfo"]["registrationOpen"], true);
    assert!(server.ends_well());
}

#[test]
fn on_sigterm_what_is_in_flight_is_finished() {
    a_stop_finishes_what_is_in_flight("TERM");
}

#[test]
fn on_sigint_what_is_in_flight_is_finished() {
    a_stop_finishes_what_is_in_flight("INT");
}

#[test]
fn from_the_signal_on_every_answer_closes_its_connection() {
    let mut server = Place::new().with("SHUTDOWN_GRACE", "2s").start(&[]);
    let health = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n".to_owned();
    let missing = health.replace("healthz", "missing");
    let ready = health.replace("healthz", "readyz");
    let query = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let mut clients = [(health, 200), (missing, 404), (query, 200), (ready, 503)].map(|(request, status)| {
        let mut client = server.connect();
        client.send(&request);
        assert_eq!(client.reply().header("connection"), "");
        (client, request, status)
    });
    server.signal("TERM");
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    for (client, request, status) in &mut clients {
        client.send(request);
        let reply = client.reply();
        assert_eq!((reply.status, reply.header("connection")), (*status, "close"), "{request}");
        assert!(client.is_closed());
    }
    assert!(server.ends_well());
}

#[test]
fn a_second_signal_ends_the_grace_and_what_is_in_flight() {
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")] {
        let mut server = Place::new().with("SHUTDOWN_GRACE", "1h").start(&[]);
        let mut slow = server.connect();
        slow.send(&halves().0);
        server.signal(first);
        wait_until("readyz says 503", || server.get("/readyz").status == 503);
        let told = Instant::now();
        server.signal(second);
        assert!(server.ends_well());
        assert!(told.elapsed() < AT_ONCE, "{:?}", told.elapsed());
        assert!(slow.is_closed());
    }
}

#[test]
fn a_second_signal_ends_the_wait_for_what_is_in_flight() {
    let mut server = Place::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
    let mut slow = server.connect();
    slow.send(&halves().0);
    // The half request has been read when one that came after it is answered.
    assert_eq!(server.get("/healthz").status, 200);
    server.signal("TERM");
    wait_until("the listener closes", || !server.accepts());
    let told = Instant::now();
    server.signal("TERM");
    assert!(server.ends_well());
    assert!(told.elapsed() < AT_ONCE, "{:?}", told.elapsed());
}

#[test]
fn a_signal_right_after_it_is_ready_is_a_clean_stop_too() {
    for _ in 0..10 {
        let mut server = Place::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
        server.signal("TERM");
        assert!(server.ends_well());
    }
}

#[test]
fn connections_that_ask_for_nothing_do_not_hold_it_up() {
    let mut server = Place::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
    let mut silent = server.connect();
    let mut kept_alive = server.connect();
    kept_alive.send("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(kept_alive.reply().status, 200);
    let told = Instant::now();
    server.signal("TERM");
    assert!(server.ends_well());
    assert!(told.elapsed() < AT_ONCE, "{:?}", told.elapsed());
    assert!(silent.is_closed() && kept_alive.is_closed());
}

#[test]
fn clients_that_dawdle_do_not_hold_it_up_for_more_than_twenty_seconds() {
    let mut server = Place::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
    let token = with_much_to_tell(&server);
    let _stuck = ask_for_much(&server, &token, 1 << 12);
    let mut half = server.connect();
    half.send(&halves().0);
    let _silent = server.connect();
    let steady = ask_for_much(&server, &token, 1 << 12);
    assert_eq!(server.get("/healthz").status, 200);
    let told = Instant::now();
    server.signal("TERM");
    // Too slow to be done in time, and never so slow that it would be cut for that.
    thread::spawn(move || {
        while let Ok(1..) = steady.stream().read(&mut [0; 1 << 14]) {
            thread::sleep(Duration::from_millis(300));
        }
    });
    thread::sleep(Duration::from_secs(12));
    assert_eq!(half.reply().status, 408);
    assert!(server.ends_well());
    let seconds = told.elapsed().as_secs_f32();
    assert!((19.0..27.0).contains(&seconds), "{seconds} s");
    assert!(server.log().contains("stopped with requests in flight"));
}

#[test]
fn after_a_clean_stop_the_one_file_of_sqlite_holds_everything() {
    for _ in 0..5 {
        let place = Place::new();
        let mut server = place.start(&[]);
        server.register("ann");
        server.signal("TERM");
        assert!(server.ends_well());
        // Left behind only while something has not been written into the file itself.
        for companion in ["data/taskhold.db-wal", "data/taskhold.db-shm"] {
            assert!(!place.path(companion).exists(), "{companion}");
        }
        let users = place.run(&["user", "list"]);
        assert!(users.stdout.contains("ann@example.com"), "{}", users.stdout);
    }
}
