//! Access control on streams: every root field of subscriptions over every transport, without a token, with a
//! broken one, as another user, and as the owner.

use super::SUBSCRIBE;
use crate::process::{CREATE, sign_in};
use crate::support::{PostgresDatabase, Server, ServerEnv, Value, json};

/// The root fields of subscriptions, each with an operation that shows everything.
const SUBSCRIPTIONS: [(&str, &str); 1] = [("taskChanges", SUBSCRIBE)];
const SECRET: &str = "the owner's secret";

/// A reader of the events of one subscription: returns the text of the next event.
type Events = Box<dyn FnMut() -> String>;

/// Opens a subscription over each transport.
fn open_each(server: &Server, token: &str, query: &str) -> [(&'static str, Events); 3] {
    let mut socket = server.signed_in_web_socket(token);
    socket.subscribe("1", query, &json!({}));
    let mut events = server.post_for_stream(token, "text/event-stream", query, &json!({}));
    let accept = "multipart/mixed;subscriptionSpec=1.0";
    let mut parts = server.post_for_stream(token, accept, query, &json!({}));
    [
        ("WebSocket", Box::new(move || socket.next("1").to_string())),
        ("event stream", Box::new(move || events.read_to("\n\n"))),
        ("multipart stream", Box::new(move || parts.read_to("--graphql"))),
    ]
}

fn assert_private(server: &Server) {
    let (owner, stranger) = (server.register("owner"), server.register("stranger"));
    let create = |token: &str, title: &str| {
        let response = server.post(token, CREATE, &json!({ "input": { "title": title } })).json();
        assert!(response.get("errors").is_none(), "{response}");
    };
    create(&owner, SECRET);
    for (field, query) in SUBSCRIPTIONS {
        let mut of_stranger = open_each(server, &stranger, query);
        let mut of_owner = open_each(server, &sign_in(server, "owner").access, query);
        for (transport, next) in of_stranger.iter_mut().chain(&mut of_owner) {
            assert!(!next().contains("title"), "{field} over {transport}: the first event is empty");
        }
        create(&owner, SECRET);
        create(&stranger, "the stranger's own");
        for (transport, next) in &mut of_owner {
            assert!(next().contains(SECRET), "{field} over {transport}");
        }
        // The first change that the stranger learns of is the stranger's own.
        for (transport, next) in &mut of_stranger {
            let event = next();
            assert!(
                event.contains("the stranger's own") && !event.contains(SECRET),
                "{field} over {transport}"
            );
        }
        for (token, message) in [("", "Authentication required"), ("x.y.z", "Invalid token")] {
            for accept in ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"] {
                let head = server.post_for_stream(token, accept, query, &json!({})).head;
                let error = &head.json()["errors"][0];
                assert_eq!((head.status, &error["message"]), (401, &json!(message)), "{field}: {accept}");
            }
        }
    }
    for (payload, close) in [
        (Value::Null, "4401 Authentication required"),
        (json!({ "authorization": "Bearer x.y.z" }), "4401 Invalid token"),
    ] {
        let mut socket = server.web_socket();
        socket.send(&json!({ "type": "connection_init", "payload": payload }));
        assert_eq!(socket.close_frame(), close);
    }
    let mut socket = server.web_socket();
    socket.subscribe("1", SUBSCRIBE, &json!({}));
    assert_eq!(socket.close_frame(), "4401 Unauthorized");
}

#[test]
fn streams_show_only_the_tasks_of_their_user_on_sqlite() {
    assert_private(&ServerEnv::new().start(&[]));
}

#[test]
fn streams_show_only_the_tasks_of_their_user_on_postgres() {
    let Some(database) = PostgresDatabase::new() else { return };
    assert_private(&ServerEnv::on(&database).start(&[]));
}

#[test]
fn every_root_field_of_subscriptions_has_a_row() {
    let server = ServerEnv::new().start(&[]);
    let query = "{ __schema { subscriptionType { fields { name } } } }";
    let fields =
        server.post("", query, &json!({})).json()["data"]["__schema"]["subscriptionType"]["fields"].take();
    let fields = fields.as_array().expect("a list");
    let names: Vec<&str> = fields.iter().filter_map(|field| field["name"].as_str()).collect();
    assert_eq!(names, SUBSCRIPTIONS.map(|(field, _)| field));
}
