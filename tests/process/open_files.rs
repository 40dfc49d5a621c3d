//! The limit of open files, which bounds how many clients can be connected.

use crate::support::{Client, Place, Server};

/// More clients at once than the soft limit of open files would allow.
fn serves_many(server: &Server) {
    let mut clients: Vec<Client> = (0..150).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
        assert_eq!(client.reply().status, 200);
    }
}

#[test]
fn the_soft_limit_is_raised() {
    let place = Place::new().after("ulimit -Sn 100").with("LIMIT_CONNECTIONS", "200");
    let place = place.with("LIMIT_CONNECTIONS_PER_ADDRESS", "0");
    let server = place.start(&[]);
    serves_many(&server);
    assert!(!server.stop().contains("LIMIT_CONNECTIONS"));
}

#[test]
fn more_connections_than_the_hard_limit_allows_are_cut_with_one_warning() {
    let place = Place::new().after("ulimit -Sn 100; ulimit -Hn 300");
    let server = place.with("LIMIT_CONNECTIONS_PER_ADDRESS", "0").start(&[]);
    serves_many(&server);
    let log = server.stop();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("LIMIT_CONNECTIONS")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("LIMIT_CONNECTIONS is lowered from 4096 to 206:"), "{}", warnings[0]);
    assert!(warnings[0].contains(r#""level":"WARN""#), "{}", warnings[0]);
}

#[test]
fn a_server_works_with_very_few_files() {
    let server = Place::new().after("ulimit -n 64").start(&[]);
    for _ in 0..3 {
        assert_eq!(server.get("/readyz").status, 200);
    }
    assert!(server.stop().contains("LIMIT_CONNECTIONS is lowered from 4096 to 1:"));
}
