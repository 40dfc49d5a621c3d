//! The limits on connections, in total and per client address, and which connection is closed at the limit.

use std::time::{Duration, Instant};

use crate::support::{Client, Server, ServerEnv, json, operation};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n";

fn start(options: &[(&str, &str)]) -> Server {
    options.iter().fold(ServerEnv::new(), |env, (option, value)| env.with(option, value)).start(&[])
}

fn assert_served(client: &mut Client) {
    client.send(HEALTH);
    assert_eq!(client.read_response().status, 200);
}

/// Opens a connection with a request whose body is still missing. Returns the connection and the body.
fn connect_busy(server: &Server) -> (Client, String) {
    let request = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let request = request.replacen("host: test", "host: test\r\nexpect: 100-continue", 1);
    let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
    let mut client = server.connect();
    client.send(&format!("{head}\r\n\r\n"));
    assert_eq!(client.read_response().status, 100);
    (client, body.to_owned())
}

impl Client {
    fn get_health(&mut self) -> u16 {
        self.send(HEALTH);
        self.read_response().status
    }
}

/// Whether the client receives nothing for half a second.
fn receives_nothing(client: &Client) -> bool {
    let stream = client.stream();
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("the time limit is valid");
    let is_silent = stream.peek(&mut [0]).is_err();
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("the time limit is valid");
    is_silent
}

#[test]
fn idle_connections_of_one_address_do_not_block_other_addresses() {
    let server = start(&[("LIMIT_CONNECTIONS", "64")]);
    let begun = Instant::now();
    let mut idle: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for _ in 0..3 {
        assert_served(&mut server.connect_from("127.0.0.2"));
    }
    // Without this limit they are closed only after ten seconds without a request.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let mut open = idle.drain(100 - 16..);
    assert!(open.all(|mut client| client.get_health() == 200), "an address may use a quarter of the limit");
    drop(open);
    assert!(idle.iter_mut().all(Client::is_closed));
}

#[test]
fn the_connection_that_has_been_idle_longest_is_closed_for_a_new_one() {
    let server = start(&[("LIMIT_CONNECTIONS", "2"), ("LIMIT_CONNECTIONS_PER_ADDRESS", "0")]);
    let [mut one, mut two] = [(); 2].map(|()| server.connect());
    assert_served(&mut one);
    assert_served(&mut two);
    assert_served(&mut one);
    let mut three = server.connect();
    assert_served(&mut three);
    assert!(two.is_closed());
    assert_served(&mut one);
    // A partial request head does not count as a request.
    three.send(&HEALTH[..20]);
    assert_served(&mut one);
    assert_served(&mut server.connect());
    assert!(three.is_closed());
}

#[test]
fn a_connection_in_use_stays_open_and_a_new_one_waits() {
    let server = start(&[("LIMIT_CONNECTIONS", "2"), ("LIMIT_CONNECTIONS_PER_ADDRESS", "0")]);
    let (mut one, rest_of_one) = connect_busy(&server);
    let (mut two, rest_of_two) = connect_busy(&server);
    let mut three = server.connect();
    three.send(HEALTH);
    assert!(receives_nothing(&three), "the third connection was served");
    one.send(&rest_of_one);
    assert_eq!(one.read_response().status, 200);
    assert_eq!(three.read_response().status, 200);
    assert!(one.is_closed());
    two.send(&rest_of_two);
    assert_eq!(two.read_response().status, 200);
}

#[test]
fn a_new_connection_is_closed_while_all_connections_of_its_address_are_in_use() {
    let server = start(&[("LIMIT_CONNECTIONS_PER_ADDRESS", "1")]);
    let (mut one, rest) = connect_busy(&server);
    assert!(server.connect().is_closed());
    assert_served(&mut server.connect_from("127.0.0.2"));
    one.send(&rest);
    assert_eq!(one.read_response().status, 200);
    assert_served(&mut server.connect());
    assert!(one.is_closed());
}

#[test]
fn a_trusted_proxy_is_exempt_from_the_limit_per_address() {
    let server =
        start(&[("LIMIT_CONNECTIONS_PER_ADDRESS", "1"), ("TRUSTED_PROXIES", "::ffff:127.0.0.1/128")]);
    let mut of_the_proxy: Vec<_> = (0..5).map(|_| server.connect()).collect();
    of_the_proxy.iter_mut().for_each(assert_served);
    let mut another = server.connect_from("127.0.0.2");
    assert_served(&mut another);
    assert_served(&mut server.connect_from("127.0.0.2"));
    assert!(another.is_closed());
    of_the_proxy.iter_mut().for_each(assert_served);
}
