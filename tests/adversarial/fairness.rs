//! Limits on the memory and the database connections that one client can use at the expense of others: unread
//! responses, unfinished bodies, requests with many fields.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use socket2::SockRef;

use crate::support::{
    Actor, Client, PostgresDatabase, Server, ServerEnv, TestApp, Value, json, on_both_databases, operation,
    wait_until,
};

/// Creates twenty tasks with 20,000 characters each. Selected under two aliases they make a response of 800
/// kB.
async fn create_long_tasks(actor: &Actor<'_>) {
    let inputs = vec![json!({ "title": "long", "description": "x".repeat(20_000) }); 20];
    let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
    actor.data(create, json!({ "inputs": inputs })).await;
}

const LARGE: &str = "{ tasks { nodes { a: description b: description } } }";
const SMALL: &str = "{ me { username } tasks(first: 1) { nodes { title } } }";
const MUTATION: &str = "mutation { createTask(input: { title: \"new\" }) { task { title } } }";

/// Sends an operation and returns the response without reading its body.
async fn unread_response(app: &TestApp, actor: &Actor<'_>, query: &str) -> Response<Body> {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {}", actor.token()));
    let body = json!({ "query": query }).to_string();
    app.send(request.body(Body::from(body)).expect("a valid request")).await
}

on_both_databases! {
    /// A user may use an eighth of the limit: 1.4 MB.
    #[flags("--limit-unsent-bytes", "11534336")]
    async fn unread_responses_are_limited_per_user(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        create_long_tasks(&ann).await;
        create_long_tasks(&bob).await;
        let held = unread_response(app, &ann, LARGE).await;
        assert_eq!(held.status(), StatusCode::OK);

        let refused = ann.execute(LARGE, json!({})).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE".to_owned()));
        ann.data(SMALL, json!({})).await;
        bob.data(LARGE, json!({})).await;

        let stored = app.all_rows().await;
        let refused = ann.execute(MUTATION, json!({})).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE".to_owned()));
        assert_eq!(app.all_rows().await, stored, "nothing was executed");
        bob.data(MUTATION, json!({})).await;

        drop(held);
        ann.data(LARGE, json!({})).await;
        ann.data(MUTATION, json!({})).await;
    }

    #[flags("--limit-unsent-bytes", "2097152")]
    async fn an_executed_mutation_always_gets_its_response(app) {
        let ann = app.user("ann").await;
        create_long_tasks(&ann).await;
        let query = format!("mutation {{ updateProfile(input: {{ name: \"Ann\" }}) {{ user {{ name {} }} }} }}", &LARGE[1..LARGE.len() - 1]);
        let held = unread_response(app, &ann, &query).await;
        assert_eq!(held.status(), StatusCode::OK);
        assert_eq!(ann.execute(LARGE, json!({})).await.code(), "SERVICE_UNAVAILABLE");
        drop(held);
        let data = ann.data(&query, json!({})).await;
        assert_eq!(data["updateProfile"]["user"]["tasks"]["nodes"].as_array().map(Vec::len), Some(20));
    }

    #[flags("--limit-unsent-bytes", "11534336")]
    async fn responses_built_field_by_field_count_as_well(app) {
        let ann = app.user("ann").await;
        create_long_tasks(&ann).await;
        let twice = "{ tasks { nodes { a: description } nodes { b: description } } }";
        let held = unread_response(app, &ann, twice).await;
        assert_eq!(held.status(), StatusCode::OK);
        assert_eq!(ann.execute(twice, json!({})).await.code(), "SERVICE_UNAVAILABLE");
        drop(held);
        let nodes = ann.data(twice, json!({})).await["tasks"]["nodes"].clone();
        assert_eq!(nodes[0]["a"], nodes[19]["b"]);
    }

    async fn error_responses_are_small(app) {
        let ann = app.user("ann").await;
        let (name, word) = ("x".repeat(900_000), "y".repeat(60));
        for (query, variables) in [
            ("query($f: TaskFilter) { tasks(filter: $f) { totalCount } }", json!({ "f": { name: 1 } })),
            ("mutation($i: CreateTaskInput!) { createTask(input: $i) { task { id } } }",
             json!({ "i": { "title": "t", "labels": vec![word; 10_000] } })),
            (&*format!("{{ {} }}", "z".repeat(16_000)), json!({})),
        ] {
            let response = ann.execute(query, variables).await;
            let length = response.body.to_string().len();
            assert!(length < 20_000, "{length} bytes: {:.300}", response.body.to_string());
        }
    }

    async fn only_json_without_a_content_coding_is_accepted(app) {
        let send = async |name: &str, value: &str| {
            let request = Request::post("/graphql").header("content-type", "application/json").header(name, value);
            let body = json!({ "query": "{ serverInfo { version } }" }).to_string();
            app.send(request.body(Body::from(body)).expect("a valid request")).await
        };
        assert_eq!(send("content-encoding", "identity").await.status(), StatusCode::OK);
        let other = Request::post("/graphql").header("content-type", "text/plain");
        let response = app.send(other.body(Body::from("{}")).expect("a valid request")).await;
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert!(!response.headers().contains_key("accept-encoding"), "the content coding is not the reason");
        for coding in ["gzip", "br", "identity, gzip", "nonsense"] {
            let response = send("content-encoding", coding).await;
            assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{coding}");
            assert_eq!(response.headers()["accept-encoding"], "identity", "{coding}");
        }
    }

    async fn a_query_in_a_url_has_the_same_length_limit(app) {
        let get = async |length: usize| {
            let uri = format!("/graphql?query={}%7B__typename%7D", "+".repeat(length));
            let request = Request::get(uri).header("accept", "application/json");
            let response = app.send(request.body(Body::empty()).expect("a valid request")).await;
            let body = http_body_util::BodyExt::collect(response.into_body()).await.expect("the body is complete").to_bytes();
            serde_json::from_slice::<Value>(&body).expect("the body is JSON")
        };
        assert_eq!(get(16_000).await["data"]["__typename"], "Query");
        assert_eq!(get(17_000).await["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX");
    }
}

/// Sends a request and only reads the status of the response. Returns the client and the status.
fn slow_reader(server: &Server, token: &str, query: &str) -> (Client, String) {
    let mut client = server.connect();
    SockRef::from(client.stream()).set_recv_buffer_size(4096).expect("the socket takes the option");
    client.send(&operation(token, query, &json!({})));
    let mut status = [0; 12];
    client.stream().read_exact(&mut status).expect("the response begins");
    (client, String::from_utf8_lossy(&status[9..]).into_owned())
}

#[test]
fn unread_responses_of_one_account_use_at_most_64_mib() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let inputs = vec![json!({ "title": "long", "description": "😀".repeat(20_000) }); 12];
    let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
    for _ in 0..2 {
        let response = server.post(&token, create, &json!({ "inputs": inputs }));
        assert!(response.json()["errors"].is_null(), "{}", response.body);
    }
    let aliases: String = (0..13).map(|n| format!("a{n}: description ")).collect();
    // 25 MB.
    let query = format!("{{ tasks(first: 24) {{ nodes {{ {aliases} }} }} }}");
    let readers: Vec<_> = (0..3).map(|_| slow_reader(&server, &token, &query)).collect();
    let statuses: Vec<&str> = readers.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(statuses, ["200", "200", "503"]);
    assert_eq!(server.post(&token, "{ me { id } }", &json!({})).status, 200);
}

/// Sends a request with a body of one megabyte, without its last byte.
fn unfinished_body(server: &Server, source: &str) -> TcpStream {
    use socket2::{Domain, Socket, Type};
    let address = |text: &str| text.parse::<std::net::SocketAddr>().expect("an address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be created");
    socket.bind(&address(&format!("{source}:0")).into()).expect("the address is a loopback address");
    socket.connect(&address(&server.address).into()).expect("the server accepts");
    let mut stream = TcpStream::from(socket);
    let body = format!("{{\"query\": \"{{ __typename }}\"{}}}", " ".repeat((1 << 20) - 27));
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.set_nonblocking(true).expect("the socket takes the option");
    let request = [head.as_bytes(), &body.as_bytes()[..body.len() - 1]].concat();
    let mut left = &request[..];
    // Bytes that the server has not read yet remain in the socket buffers.
    wait_until("a body is sent", || {
        match stream.write(left) {
            Ok(sent) => left = &left[sent..],
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        left.is_empty()
    });
    stream.set_nonblocking(false).expect("the socket takes the option");
    stream
}

fn finish(mut body: TcpStream) -> TcpStream {
    body.write_all(b"}").expect("the server keeps the connection");
    body
}

fn status_of(body: &mut TcpStream, time_limit: Duration) -> Option<String> {
    body.set_read_timeout(Some(time_limit)).expect("the time limit is valid");
    let mut status = [0; 12];
    let read = body.read_exact(&mut status);
    read.is_ok().then(|| String::from_utf8_lossy(&status[9..]).into_owned())
}

const SHORT_TIMEOUT: Duration = Duration::from_millis(500);
const LONG_TIMEOUT: Duration = Duration::from_secs(9);

#[test]
fn unfinished_bodies_of_one_address_use_at_most_8_mib_and_do_not_block_others() {
    let server = ServerEnv::new().start(&[]);
    let mut unfinished: Vec<_> = (0..8).map(|_| unfinished_body(&server, "127.0.0.1")).collect();
    // The server reads the bodies in any order.
    let mut waiting = None;
    wait_until("the memory of the address is used", || {
        let mut body = finish(unfinished_body(&server, "127.0.0.1"));
        waiting = status_of(&mut body, SHORT_TIMEOUT).is_none().then_some(body);
        waiting.is_some()
    });
    let mut waiting = waiting.expect("one body waits");
    assert_eq!(server.post("", "{ __typename }", &json!({})).status, 200, "a small body does not wait");
    let mut other = finish(unfinished_body(&server, "127.0.0.2"));
    assert_eq!(status_of(&mut other, LONG_TIMEOUT).as_deref(), Some("200"), "another address does not wait");
    // Memory is released when a connection is closed, and when a body is finished.
    drop(unfinished.pop());
    assert_eq!(status_of(&mut waiting, LONG_TIMEOUT).as_deref(), Some("200"));
    let mut finished = finish(unfinished.pop().expect("seven are left"));
    assert_eq!(status_of(&mut finished, LONG_TIMEOUT).as_deref(), Some("200"));
}

#[test]
fn at_most_two_root_fields_of_a_request_run_concurrently() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).with("DATABASE_MAX_CONNECTIONS", "20").start(&[]);
    let token = server.register("ann");
    let fields: String = (0..5).map(|n| format!("f{n}: tasks(first: {}) {{ totalCount }} ", n + 1)).collect();
    // This request fills the session cache, so that the next one needs no statement for it.
    assert_eq!(server.post(&token, &format!("{{ {fields} }}"), &json!({})).status, 200);

    let lock = database.lock("tasks");
    let mut client = server.connect();
    client.send(&operation(&token, &format!("{{ {fields} }}"), &json!({})));
    wait_until("two fields wait for the lock", || database.statements_waiting_for_locks() >= 2);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(database.statements_waiting_for_locks(), 2);
    drop(lock);
    let response = client.read_response();
    let keys: Vec<_> =
        response.body.match_indices("\"f").map(|(at, _)| &response.body[at + 1..at + 3]).collect();
    assert_eq!((response.status, keys), (200, vec!["f0", "f1", "f2", "f3", "f4"]), "{}", response.body);
}
