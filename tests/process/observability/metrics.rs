//! The metrics listener: which metrics it serves to Prometheus, and that they contain no user data.

use crate::process::login;
use crate::support::{
    HttpResponse, PASSWORD, PostgresDatabase, Server, ServerEnv, json, operation, wait_until,
};

/// An environment with a metrics listener.
pub fn metrics_env() -> ServerEnv {
    ServerEnv::new().with("METRICS_BIND", "127.0.0.1:0")
}

/// Sends a request to the metrics listener, whose address is in the log before the server is ready.
fn request_metrics(server: &Server, request: &str) -> HttpResponse {
    let log = server.log();
    let (_, rest) = log.split_once("metrics are at http://").expect("the log has the address");
    let (address, _) = rest.split_once("/metrics").expect("the address has a path");
    let mut client = server.connect_to(address);
    client.send(&format!("{request} HTTP/1.1\r\nhost: test\r\n\r\n"));
    client.read_response()
}

/// Reads the metrics.
pub fn scrape(server: &Server) -> String {
    let response = request_metrics(server, "GET /metrics");
    assert_eq!(response.status, 200);
    assert!(response.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(response.body.ends_with("# EOF\n"), "{}", response.body);
    response.body
}

/// The value of a series, which is named with its labels.
pub fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().expect("a number"))
}

/// The number of requests counted under an operation type and a code.
fn count(metrics: &str, operation_type: &str, code: &str) -> Option<f64> {
    let labels = format!("{{operation_type=\"{operation_type}\",code=\"{code}\"}}");
    value(metrics, &format!("taskhold_graphql_request_duration_seconds_count{labels}"))
}

#[test]
fn without_the_option_there_are_no_metrics() {
    let server = ServerEnv::new().start(&[]);
    assert_eq!(server.get("/metrics").status, 404);
    assert!(!server.stop().contains("metrics are at"));
}

fn every_graphql_request_is_counted_under_its_type_and_code(env: &ServerEnv) {
    let server = env.start(&[]);
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
    // These are not GraphQL requests: the playground, another path, another method.
    let mut client = server.connect();
    client.send("GET /graphql HTTP/1.1\r\nhost: test\r\naccept: text/html\r\n\r\n");
    assert_eq!(client.read_response().status, 200);
    server.get("/healthz");
    server.get("/nowhere");
    client.send("PUT /graphql HTTP/1.1\r\nhost: test\r\n\r\n");
    assert_eq!(client.read_response().status, 405);

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
    every_graphql_request_is_counted_under_its_type_and_code(&metrics_env());
}

#[test]
fn on_postgres_every_graphql_request_is_counted_under_its_type_and_code() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database).with("METRICS_BIND", "127.0.0.1:0");
    every_graphql_request_is_counted_under_its_type_and_code(&env);
}

#[test]
fn durations_are_in_seconds_and_in_cumulative_buckets() {
    let server = metrics_env().start(&[]);
    server.register("ann");
    let metrics = scrape(&server);
    let series = |name: &str, more: &str| {
        let labels = format!("{{{more}operation_type=\"mutation\",code=\"OK\"}}");
        value(&metrics, &format!("taskhold_graphql_request_duration_seconds_{name}{labels}"))
    };
    let sum = series("sum", "").expect("there is a sum");
    assert!((0.001..15.0).contains(&sum), "a password is hashed in {sum} s");
    let buckets = ["0.001", "0.0025", "0.005", "0.01", "0.1", "1.0", "10.0", "15.0", "+Inf"];
    let counts = buckets.map(|bound| series("bucket", &format!("le=\"{bound}\",")));
    assert!(counts.iter().all(Option::is_some) && counts.is_sorted(), "{metrics}");
    assert_eq!((counts[0], counts[8]), (Some(0.0), Some(1.0)));
}

fn the_gauges_show_the_current_values(env: &ServerEnv) {
    let server = env.start(&[]);
    let current = |series: &str| value(&scrape(&server), series).unwrap_or(-1.0);
    let build = concat!("taskhold_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    assert_eq!(current(build), 1.0);
    assert_eq!(current("taskhold_log_lines_dropped_total"), 0.0);
    let (connections, in_flight) = ("taskhold_http_connections", "taskhold_http_requests_in_flight");
    assert_eq!((current(connections), current(in_flight)), (0.0, 0.0));
    let mut clients = [server.connect(), server.connect()];
    let request = operation("", "{ serverInfo { registrationOpen } }", &json!({}));
    let (first, second) = request.split_at(request.len() - 10);
    clients[0].send(first);
    wait_until("the partial request is counted", || (current(connections), current(in_flight)) == (2.0, 1.0));
    clients[0].send(second);
    assert_eq!(clients[0].read_response().status, 200);
    wait_until("the request is finished", || (current(connections), current(in_flight)) == (2.0, 0.0));
    drop(clients);
    wait_until("the connections are closed", || current(connections) == 0.0);

    assert_eq!(server.get("/readyz").status, 200);
    let pooled = |state| current(&format!("taskhold_database_connections{{state=\"{state}\"}}"));
    wait_until("the connections are returned to the pool", || pooled("used") == 0.0 && pooled("idle") >= 1.0);
}

#[test]
fn on_sqlite_the_gauges_show_the_current_values() {
    the_gauges_show_the_current_values(&metrics_env());
}

#[test]
fn on_postgres_the_gauges_show_the_current_values() {
    let Some(database) = PostgresDatabase::new() else { return };
    the_gauges_show_the_current_values(&ServerEnv::on(&database).with("METRICS_BIND", "127.0.0.1:0"));
}

#[test]
fn metrics_contain_no_user_data() {
    let server = metrics_env().start(&[]);
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
fn the_metrics_listener_serves_nothing_else() {
    let server = metrics_env().start(&[]);
    for request in ["GET /", "GET /graphql", "GET /healthz", "GET /metrics/", "POST /metrics"] {
        let response = request_metrics(&server, request);
        assert_eq!(
            (response.status, response.body.as_str()),
            (404, "there is only GET /metrics\n"),
            "{request}"
        );
        assert!(response.header("content-type").starts_with("text/plain"), "{response:?}");
    }
}

#[test]
fn metrics_are_served_until_the_process_ends() {
    let mut server = metrics_env().with("SHUTDOWN_GRACE", "1h").start(&[]);
    server.signal("TERM");
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    assert!(scrape(&server).contains("taskhold_build_info"));
    server.signal("TERM");
    assert!(server.exits_cleanly());
}
