//! The limit of open files, which restricts the number of connections.

use crate::support::{Client, Server, ServerEnv};

/// Serves more simultaneous connections than the soft limit of open files allows.
fn assert_serves_150_connections(server: &Server) {
    let mut clients: Vec<Client> = (0..150).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
        assert_eq!(client.read_response().status, 200);
    }
}

#[test]
fn the_soft_limit_of_open_files_is_raised() {
    let env = ServerEnv::new().after_shell_command("ulimit -Sn 100").with("LIMIT_CONNECTIONS", "200");
    let env = env.with("LIMIT_CONNECTIONS_PER_ADDRESS", "0");
    let server = env.start(&[]);
    assert_serves_150_connections(&server);
    assert!(!server.stop().contains("LIMIT_CONNECTIONS"));
}

#[test]
fn the_connection_limit_is_lowered_to_the_hard_limit_with_one_warning() {
    let env = ServerEnv::new().after_shell_command("ulimit -Sn 100; ulimit -Hn 300");
    let server = env.with("LIMIT_CONNECTIONS_PER_ADDRESS", "0").start(&[]);
    assert_serves_150_connections(&server);
    let log = server.stop();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("LIMIT_CONNECTIONS")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("LIMIT_CONNECTIONS is lowered from 4096 to 206:"), "{}", warnings[0]);
    assert!(warnings[0].contains(r#""level":"WARN""#), "{}", warnings[0]);
}

#[test]
fn a_server_works_with_64_open_files() {
    let server = ServerEnv::new().after_shell_command("ulimit -n 64").start(&[]);
    for _ in 0..3 {
        assert_eq!(server.get("/readyz").status, 200);
    }
    assert!(server.stop().contains("LIMIT_CONNECTIONS is lowered from 4096 to 1:"));
}
