//! The graceful stop on SIGTERM and SIGINT.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::network::slow_clients::{register_with_long_tasks, request_large_response};
use crate::support::{ServerEnv, json, operation, wait_until};

const PROMPT_EXIT_LIMIT: Duration = Duration::from_secs(3);

/// A request in two parts; the second completes its body.
fn request_in_two_parts() -> (String, String) {
    let request = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let (first, second) = request.split_at(request.len() - 10);
    (first.to_owned(), second.to_owned())
}

fn a_stop_finishes_requests_in_flight(signal: &str) {
    let mut server = ServerEnv::new().with("SHUTDOWN_GRACE", "2s").start(&[]);
    let mut slow = server.connect();
    let (first, second) = request_in_two_parts();
    slow.send(&first);
    assert_eq!(server.get("/readyz").status, 200);

    server.signal(signal);
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    assert_eq!(server.get("/healthz").status, 200);
    let token = server.register("ann");
    assert!(!token.is_empty(), "new requests are still served");
    wait_until("the listener closes", || !server.accepts_connections());

    slow.send(&second);
    let response = slow.read_response();
    assert_eq!((response.status, response.header("connection")), (200, "close"));
    assert_eq!(response.json()["data"]["serverInfo"]["registrationOpen"], true);
    assert!(server.exits_cleanly());
}

#[test]
fn on_sigterm_requests_in_flight_are_finished() {
    a_stop_finishes_requests_in_flight("TERM");
}

#[test]
fn on_sigint_requests_in_flight_are_finished() {
    a_stop_finishes_requests_in_flight("INT");
}

#[test]
fn after_the_signal_every_response_closes_its_connection() {
    let mut server = ServerEnv::new().with("SHUTDOWN_GRACE", "2s").start(&[]);
    let health = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n".to_owned();
    let missing = health.replace("healthz", "missing");
    let ready = health.replace("healthz", "readyz");
    let query = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let mut clients = [(health, 200), (missing, 404), (query, 200), (ready, 503)].map(|(request, status)| {
        let mut client = server.connect();
        client.send(&request);
        assert_eq!(client.read_response().header("connection"), "");
        (client, request, status)
    });
    server.signal("TERM");
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    for (client, request, status) in &mut clients {
        client.send(request);
        let response = client.read_response();
        assert_eq!((response.status, response.header("connection")), (*status, "close"), "{request}");
        assert!(client.is_closed());
    }
    assert!(server.exits_cleanly());
}

#[test]
fn a_second_signal_ends_the_grace_period_and_requests_in_flight() {
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")] {
        let mut server = ServerEnv::new().with("SHUTDOWN_GRACE", "1h").start(&[]);
        let mut slow = server.connect();
        slow.send(&request_in_two_parts().0);
        server.signal(first);
        wait_until("readyz says 503", || server.get("/readyz").status == 503);
        let signalled = Instant::now();
        server.signal(second);
        assert!(server.exits_cleanly());
        assert!(signalled.elapsed() < PROMPT_EXIT_LIMIT, "{:?}", signalled.elapsed());
        assert!(slow.is_closed());
    }
}

#[test]
fn a_second_signal_ends_the_wait_for_requests_in_flight() {
    let mut server = ServerEnv::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
    let mut slow = server.connect();
    slow.send(&request_in_two_parts().0);
    // The partial request has been read when a later request is finished.
    assert_eq!(server.get("/healthz").status, 200);
    server.signal("TERM");
    wait_until("the listener closes", || !server.accepts_connections());
    let signalled = Instant::now();
    server.signal("TERM");
    assert!(server.exits_cleanly());
    assert!(signalled.elapsed() < PROMPT_EXIT_LIMIT, "{:?}", signalled.elapsed());
}

#[test]
fn a_signal_right_after_the_start_is_a_clean_stop() {
    for _ in 0..10 {
        let mut server = ServerEnv::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
        server.signal("TERM");
        assert!(server.exits_cleanly());
    }
}

#[test]
fn idle_connections_do_not_delay_the_stop() {
    let mut server = ServerEnv::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
    let mut silent = server.connect();
    let mut kept_alive = server.connect();
    kept_alive.send("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(kept_alive.read_response().status, 200);
    let signalled = Instant::now();
    server.signal("TERM");
    assert!(server.exits_cleanly());
    assert!(signalled.elapsed() < PROMPT_EXIT_LIMIT, "{:?}", signalled.elapsed());
    assert!(silent.is_closed() && kept_alive.is_closed());
}

#[test]
fn slow_clients_delay_the_stop_by_at_most_twenty_seconds() {
    let mut server = ServerEnv::new().with("SHUTDOWN_GRACE", "0s").start(&[]);
    let token = register_with_long_tasks(&server);
    let _not_reading = request_large_response(&server, &token, 1 << 12);
    let mut partial = server.connect();
    partial.send(&request_in_two_parts().0);
    let _silent = server.connect();
    let steady = request_large_response(&server, &token, 1 << 12);
    assert_eq!(server.get("/healthz").status, 200);
    let signalled = Instant::now();
    server.signal("TERM");
    // Too slow to finish in time, but fast enough not to exceed the client timeout.
    thread::spawn(move || {
        while let Ok(1..) = steady.stream().read(&mut [0; 1 << 14]) {
            thread::sleep(Duration::from_millis(300));
        }
    });
    thread::sleep(Duration::from_secs(12));
    assert_eq!(partial.read_response().status, 408);
    assert!(server.exits_cleanly());
    let seconds = signalled.elapsed().as_secs_f32();
    assert!((19.0..27.0).contains(&seconds), "{seconds} s");
    assert!(server.log().contains("stopped with requests in flight"));
}

#[test]
fn after_a_clean_stop_the_sqlite_file_contains_all_data() {
    for _ in 0..5 {
        let env = ServerEnv::new();
        let mut server = env.start(&[]);
        server.register("ann");
        server.signal("TERM");
        assert!(server.exits_cleanly());
        // These files exist only while some data has not been written to the main file.
        for companion in ["data/taskhold.db-wal", "data/taskhold.db-shm"] {
            assert!(!env.path(companion).exists(), "{companion}");
        }
        let users = env.run(&["user", "list"]);
        assert!(users.stdout.contains("ann@example.com"), "{}", users.stdout);
    }
}
