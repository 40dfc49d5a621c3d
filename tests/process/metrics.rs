//! The second listener, which tells Prometheus what has been counted, and what it must never tell.

use super::login;
use crate::support::{PASSWORD, Place, PostgresDatabase, Reply, Server, json, operation, wait_until};

fn place() -> Place {
    Place::new().with("METRICS_BIND", "127.0.0.1:0")
}

/// Asks the second listener, which the log names before it says that the server is ready.
fn ask(server: &Server, request: &str) -> Reply {
    let log = server.log();
    let (_, rest) = log.split_once("metrics are at http://").expect("the log has the address");
    let (address, _) = rest.split_once("/metrics").expect("the address has a path");
    let mut client = server.connect_to(address);
    client.send(&format!("{request} HTTP/1.1\r\nhost: test\r\n\r\n"));
    client.reply()
}

fn scrape(server: &Server) -> String {
    let reply = ask(server, "GET /metrics");
    assert_eq!(reply.status, 200);
    assert!(reply.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(reply.body.ends_with("# EOF\n"), "{}", reply.body);
    reply.body
}

/// The value of a series, named with its labels as it is written.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().expect("a number"))
}

/// How many requests were counted under a type and a code.
fn count(metrics: &str, operation_type: &str, code: &str) -> Option<f64> {
    let labels = format!("{{operation_type=\"{operation_type}\",code=\"{code}\"}}");
    value(metrics, &format!("taskhold_graphql_request_duration_seconds_count{labels}"))
}

#[test]
fn without_the_option_nothing_is_told() {
    let server = Place::new().start(&[]);
    assert_eq!(server.get("/metrics").status, 404);
    assert!(!server.stop().contains("metrics are at"));
}

fn every_graphql_request_is_counted_under_its_type_and_code(place: &Place) {
    let server = place.start(&[]);
    let token = server.register("ann");
    server.register("bob");
    let create = "mutation($title: String!) { createTask(input: { title: $title }) { task { id } } }";
    server.post(&token, create, &json!({ "title": "one" }));
    server.post(&token, create, &json!({ "title": " " }));
    for _ in 0..3 {
        server.post(&token, "{ me { id } }", &json!({}));
    }
    server.post("", "{ me { id } }", &json!({}));
    server.post("", "{ nothing }", &json!({}));
    server.post("", "{", &json!({}));
    server.post("", "subscription { nothing }", &json!({}));
    login(&server, "ann", "wrong-horse-1");
    // No operations: the playground, another path, another method.
    let mut client = server.connect();
    client.send("GET /graphql HTTP/1.1\r\nhost: test\r\naccept: text/html\r\n\r\n");
    assert_eq!(client.reply().status, 200);
    server.get("/healthz");
    server.get("/nowhere");
    client.send("PUT /graphql HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.reply().status, 405);

    let metrics = scrape(&server);
    let counted = [
        ("mutation", "OK", 3.0),
        ("mutation", "BAD_USER_INPUT", 1.0),
        ("mutation", "INVALID_CREDENTIALS", 1.0),
        ("query", "OK", 3.0),
        ("query", "UNAUTHENTICATED", 1.0),
        ("query", "BAD_REQUEST", 1.0),
        ("none", "BAD_REQUEST", 3.0),
    ];
    for (operation_type, code, times) in counted {
        assert_eq!(count(&metrics, operation_type, code), Some(times), "{operation_type} {code}: {metrics}");
    }
    let series = "taskhold_graphql_request_duration_seconds_count{";
    assert_eq!(metrics.matches(series).count(), counted.len(), "{metrics}");
}

#[test]
fn on_sqlite_every_graphql_request_is_counted_under_its_type_and_code() {
    every_graphql_request_is_counted_under_its_type_and_code(&place());
}

#[test]
fn on_postgres_every_graphql_request_is_counted_under_its_type_and_code() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database).with("METRICS_BIND", "127.0.0.1:0");
    every_graphql_request_is_counted_under_its_type_and_code(&place);
}

#[test]
fn durations_are_in_seconds_and_in_buckets_that_add_up() {
    let server = place().start(&[]);
    server.register("ann");
    let metrics = scrape(&server);
    let of = |name: &str, more: &str| {
        let labels = format!("{{{more}operation_type=\"mutation\",code=\"OK\"}}");
        value(&metrics, &format!("taskhold_graphql_request_duration_seconds_{name}{labels}"))
    };
    let sum = of("sum", "").expect("there is a sum");
    assert!((0.001..15.0).contains(&sum), "a password is hashed in {sum} s");
    let buckets = ["0.001", "0.0025", "0.005", "0.01", "0.1", "1.0", "10.0", "15.0", "+Inf"];
    let counts = buckets.map(|bound| of("bucket", &format!("le=\"{bound}\",")));
    assert!(counts.iter().all(Option::is_some) && counts.is_sorted(), "{metrics}");
    assert_eq!((counts[0], counts[8]), (Some(0.0), Some(1.0)));
}

fn what_is_there_now_is_told(place: &Place) {
    let server = place.start(&[]);
    let now = |series: &str| value(&scrape(&server), series).unwrap_or(-1.0);
    let build = concat!("taskhold_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    assert_eq!(now(build), 1.0);
    assert_eq!(now("taskhold_log_lines_dropped_total"), 0.0);
    let (connections, in_flight) = ("taskhold_http_connections", "taskhold_http_requests_in_flight");
    assert_eq!((now(connections), now(in_flight)), (0.0, 0.0));
    let mut clients = [server.connect(), server.connect()];
    let request = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let (first, second) = request.split_at(request.len() - 10);
    clients[0].send(first);
    wait_until("the halves are there", || (now(connections), now(in_flight)) == (2.0, 1.0));
    clients[0].send(second);
    assert_eq!(clients[0].reply().status, 200);
    wait_until("it is answered", || (now(connections), now(in_flight)) == (2.0, 0.0));
    drop(clients);
    wait_until("the clients have gone", || now(connections) == 0.0);

    assert_eq!(server.get("/readyz").status, 200);
    let pooled = |state| now(&format!("taskhold_database_connections{{state=\"{state}\"}}"));
    wait_until("the connections are back", || pooled("used") == 0.0 && pooled("idle") >= 1.0);
}

#[test]
fn on_sqlite_what_is_there_now_is_told() {
    what_is_there_now_is_told(&place());
}

#[test]
fn on_postgres_what_is_there_now_is_told() {
    let Some(database) = PostgresDatabase::new() else { return };
    what_is_there_now_is_told(&Place::on(&database).with("METRICS_BIND", "127.0.0.1:0"));
}

#[test]
fn nothing_that_a_user_wrote_is_told() {
    let server = place().start(&[]);
    let token = server.register("hush");
    let id = server.post(&token, "query Hush { me { id } }", &json!({})).json()["data"]["me"]["id"].clone();
    let create = "mutation Hush($title: String!) { createTask(input: { title: $title }) { task { id } } }";
    server.post_with("x-request-id: hush\r\n", &token, create, &json!({ "title": "hush" }));
    server.post("hush", "query Hush { hush(hush: \"hush\") }", &json!({ "hush": "hush" }));
    server.post("", "subscription Hush { hush }", &json!({}));
    server.get("/hush?hush");
    let metrics = scrape(&server);
    for hidden in ["hush", PASSWORD, &token, id.as_str().expect("an id")] {
        assert!(!metrics.to_lowercase().contains(&hidden.to_lowercase()), "{hidden}: {metrics}");
    }
}

#[test]
fn the_second_listener_has_nothing_else() {
    let server = place().start(&[]);
    for request in ["GET /", "GET /graphql", "GET /healthz", "GET /metrics/", "POST /metrics"] {
        let reply = ask(&server, request);
        assert_eq!((reply.status, reply.body.as_str()), (404, "there is only GET /metrics\n"), "{request}");
        assert!(reply.header("content-type").starts_with("text/plain"), "{reply:?}");
    }
}

#[test]
fn it_is_told_until_the_end() {
    let mut server = place().with("SHUTDOWN_GRACE", "1h").start(&[]);
    server.signal("TERM");
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    assert!(scrape(&server).contains("taskhold_build_info"));
    server.signal("TERM");
    assert!(server.ends_well());
}
