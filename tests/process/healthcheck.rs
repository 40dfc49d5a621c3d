//! The command that asks a running server whether it is ready.

use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use super::refusals::refuses;
use crate::support::{Place, PostgresDatabase, wait_until};

const HEALTHCHECK: [&str; 1] = ["healthcheck"];

/// A place with the options of a server at an address.
fn same_as(address: &str) -> Place {
    let (host, port) = address.rsplit_once(':').expect("an address has a port");
    Place::new().with("HOST", host.trim_matches(['[', ']'])).with("PORT", port)
}

fn a_server_is_healthy_until_it_stops(place: Place) {
    let mut server = place.with("SHUTDOWN_GRACE", "1h").start(&[]);
    let asking = same_as(&server.address);
    assert!(asking.run(&HEALTHCHECK).success);
    server.signal("TERM");
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    refuses(&asking, &HEALTHCHECK, &["/readyz responds with \"HTTP/1.1 503\""]);
    server.signal("TERM");
    assert!(server.ends_well());
    refuses(&asking, &HEALTHCHECK, &["/readyz does not respond: Connection refused"]);
    assert!(!asking.path("data").exists(), "asking needs no folder");
}

#[test]
fn a_server_on_sqlite_is_healthy_until_it_stops() {
    a_server_is_healthy_until_it_stops(Place::new());
}

#[test]
fn a_server_on_postgres_is_healthy_until_it_stops() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_server_is_healthy_until_it_stops(Place::on(&database));
}

#[test]
fn a_server_that_listens_everywhere_is_asked_here() {
    for host in ["0.0.0.0", "::", "::ffff:0.0.0.0", "::1"] {
        // Not every machine has IPv6.
        if TcpListener::bind((host, 0)).is_ok() {
            let server = Place::new().with("HOST", host).start(&[]);
            assert!(same_as(&server.address).run(&HEALTHCHECK).success, "{host}");
        }
    }
}

#[test]
fn any_free_port_is_none_to_ask() {
    refuses(&Place::new(), &HEALTHCHECK, &["PORT must be the port of the server"]);
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for() {
    for begun in ["", "HTTP/1.1 20"] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("the listener has an address").to_string();
        let silent = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("it connects");
            stream.write_all(begun.as_bytes()).expect("it reads");
            stream
        });
        let asked = Instant::now();
        refuses(&same_as(&address), &HEALTHCHECK, &["/readyz does not respond: no response within 3s"]);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        drop(silent.join());
    }
}
