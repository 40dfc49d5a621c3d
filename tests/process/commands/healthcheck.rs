//! The healthcheck command, which requests /readyz from a running server.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::configuration::startup_errors::assert_fails_with;
use crate::support::{PostgresDatabase, ServerEnv, wait_until};

const HEALTHCHECK: [&str; 1] = ["healthcheck"];

/// An environment with HOST and PORT of a server.
fn env_for(address: &str) -> ServerEnv {
    let (host, port) = address.rsplit_once(':').expect("an address has a port");
    ServerEnv::new().with("HOST", host.trim_matches(['[', ']'])).with("PORT", port)
}

fn a_server_is_healthy_until_it_stops(env: ServerEnv) {
    let mut server = env.with("SHUTDOWN_GRACE", "1h").start(&[]);
    let client = env_for(&server.address);
    assert!(client.run(&HEALTHCHECK).success);
    server.signal("TERM");
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    assert_fails_with(&client, &HEALTHCHECK, &["/readyz responds with \"HTTP/1.1 503\""]);
    server.signal("TERM");
    assert!(server.exits_cleanly());
    assert_fails_with(&client, &HEALTHCHECK, &["/readyz does not respond: Connection refused"]);
    assert!(!client.path("data").exists(), "the command created a folder");
}

#[test]
fn a_server_on_sqlite_is_healthy_until_it_stops() {
    a_server_is_healthy_until_it_stops(ServerEnv::new());
}

#[test]
fn a_server_on_postgres_is_healthy_until_it_stops() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_server_is_healthy_until_it_stops(ServerEnv::on(&database));
}

#[test]
fn a_server_on_an_unspecified_address_is_checked_over_loopback() {
    for host in ["0.0.0.0", "::", "::ffff:0.0.0.0", "::1"] {
        // Not every machine has IPv6.
        if TcpListener::bind((host, 0)).is_ok() {
            let server = ServerEnv::new().with("HOST", host).start(&[]);
            assert!(env_for(&server.address).run(&HEALTHCHECK).success, "{host}");
        }
    }
}

#[test]
fn healthcheck_needs_a_fixed_port() {
    assert_fails_with(&ServerEnv::new(), &HEALTHCHECK, &["PORT must be the port of the server"]);
}

#[test]
fn healthcheck_fails_if_no_response_arrives_within_3_seconds() {
    for begun in ["", "HTTP/1.1 20"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("the listener has an address").to_string();
        let silent = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("the command connects");
            stream.write_all(begun.as_bytes()).expect("the command reads");
            stream
        });
        let started = Instant::now();
        assert_fails_with(
            &env_for(&address),
            &HEALTHCHECK,
            &["/readyz does not respond: no response within 3s"],
        );
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        drop(silent.join());
    }
}
