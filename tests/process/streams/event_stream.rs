//! Event streams: their text, what begins one, and how each ends.

use super::{CREATE, SUBSCRIBE};
use crate::support::{HttpResponse, HttpStreamClient, ServerEnv, json, wait_until};

const ACCEPT: &str = "text/event-stream";

fn code(head: &HttpResponse) -> String {
    head.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

/// The body of a response that has ended, whether it had a length or not.
fn whole_body(stream: &mut HttpStreamClient) -> String {
    if stream.head.body.is_empty() { stream.rest() } else { stream.head.body.clone() }
}

#[test]
fn a_subscription_reports_each_change_with_its_cursor() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let mut stream = server.post_for_stream(&token, ACCEPT, SUBSCRIBE, &json!({}));
    assert_eq!(stream.head.status, 200);
    for (name, value) in [
        ("content-type", "text/event-stream; charset=utf-8"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(stream.head.header(name), value);
    }
    let (first, begin) = stream.event();
    assert_eq!(first["data"]["taskChanges"], json!({ "changes": [], "cursor": begin, "hasMore": false }));
    for title in ["one", "two\n\u{2028}lines"] {
        server.post(&token, CREATE, &json!({ "input": { "title": title } }));
        let (event, cursor) = stream.event();
        let page = &event["data"]["taskChanges"];
        assert_eq!((&page["changes"][0]["task"]["title"], &page["cursor"]), (&json!(title), &json!(cursor)));
    }
    // From the first cursor both are reported again, by GET too.
    let query: String = form_urlencoded::byte_serialize(SUBSCRIBE.as_bytes()).collect();
    let mut client = server.connect();
    client.send(&format!(
        "GET /graphql?query={query} HTTP/1.1\r\nhost: test\r\naccept: {ACCEPT}\r\nlast-event-id: {begin}\r\n\
         authorization: Bearer {token}\r\n\r\n"
    ));
    let mut resumed = HttpStreamClient::of(client);
    assert_eq!(resumed.event().0["data"]["taskChanges"]["changes"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_query_and_a_fault_are_one_event_and_the_end() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let mut stream = server.post_for_stream(&token, ACCEPT, "{ me { email } }", &json!({}));
    assert_eq!(
        stream.rest(),
        "event: next\ndata: {\"data\":{\"me\":{\"email\":\"ann@example.com\"}}}\n\nevent: complete\ndata:\n\n"
    );
    for (query, variables, code) in [
        ("{ nothing }", json!({}), "BAD_REQUEST"),
        ("mutation { logout { success } }", json!({}), "BAD_REQUEST"),
        (SUBSCRIBE, json!({ "after": 1 }), "BAD_USER_INPUT"),
        (SUBSCRIBE, json!({ "after": "" }), "BAD_USER_INPUT"),
        ("subscription { taskChanges(first: 0) { cursor } }", json!({}), "BAD_USER_INPUT"),
        ("subscription { __typename }", json!({}), "BAD_REQUEST"),
        ("", json!({}), "BAD_REQUEST"),
        ("{ me { id } }", json!([]), "BAD_REQUEST"),
    ] {
        let mut stream = server.post_for_stream(&token, ACCEPT, query, &variables);
        assert_eq!(
            (stream.head.status, stream.head.header("content-type")),
            (200, "text/event-stream; charset=utf-8")
        );
        let text = whole_body(&mut stream);
        assert!(text.starts_with("event: next\ndata: {\"errors\":[{"), "{text}");
        assert!(text.contains(&format!("\"code\":\"{code}\"")), "{text}");
        assert!(text.ends_with("]}\n\nevent: complete\ndata:\n\n"), "{text}");
    }
    // The mutation was not executed: the session is active.
    assert_eq!(server.post_for_stream(&token, ACCEPT, SUBSCRIBE, &json!({})).head.status, 200);
    let wrong_hash = "query=%7Bme%7Bid%7D%7D&documentId=sha256:abc";
    let mut client = server.connect();
    client.send(&format!("GET /graphql?{wrong_hash} HTTP/1.1\r\nhost: test\r\naccept: {ACCEPT}\r\n\r\n"));
    let text = whole_body(&mut HttpStreamClient::of(client));
    assert!(
        text.contains("\"code\":\"BAD_REQUEST\"") && text.ends_with("event: complete\ndata:\n\n"),
        "{text}"
    );
}

#[test]
fn a_faulty_subscription_is_answered_with_a_stream_also_if_json_is_accepted() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let accept = "application/json, text/event-stream";
    for query in [
        "subscription { __typename }",
        "subscription { nothing }",
        "subscription { taskChanges(first: 0) { cursor } }",
        "subscription($n: Int!) { taskChanges(first: $n) { cursor } }",
    ] {
        let mut stream = server.post_for_stream(&token, accept, query, &json!({}));
        assert_eq!(stream.head.header("content-type"), "text/event-stream; charset=utf-8", "{query}");
        assert!(stream.rest().ends_with("event: complete\ndata:\n\n"), "{query}");
    }
}

#[test]
fn what_http_has_a_status_for_is_told_with_it() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let refused = server.post_for_stream("", ACCEPT, SUBSCRIBE, &json!({})).head;
    assert_eq!((refused.status, code(&refused)), (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    assert_eq!(refused.header("content-type"), "application/json; charset=utf-8");
    let refused = server.post_for_stream("wrong", ACCEPT, SUBSCRIBE, &json!({})).head;
    assert_eq!((refused.status, code(&refused)), (401, "UNAUTHENTICATED".to_owned()));
    let refused = server.post_for_stream("", ACCEPT, "{ me { id } }", &json!({})).head;
    assert_eq!((refused.status, code(&refused)), (401, "UNAUTHENTICATED".to_owned()));
    for accept in [
        "application/json",
        "*/*",
        "text/*",
        "multipart/mixed",
        "multipart/mixed;subscriptionSpec=2.0",
        "text/event-stream;q=0, application/json",
    ] {
        let refused = server.post_for_stream(&token, accept, SUBSCRIBE, &json!({})).head;
        assert_eq!((refused.status, code(&refused)), (406, "BAD_REQUEST".to_owned()), "{accept}");
        assert_eq!(refused.json()["errors"][0]["extensions"]["status"], 406);
    }
    let refused = server.post_for_stream(&token, "image/png", SUBSCRIBE, &json!({})).head;
    assert_eq!(refused.status, 406);
}

#[test]
fn the_type_with_the_higher_weight_is_sent() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let (events, parts) =
        ("text/event-stream; charset=utf-8", "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\"");
    for (accept, content_type) in [
        ("text/event-stream, multipart/mixed;subscriptionSpec=1.0", events),
        ("multipart/mixed;subscriptionSpec=1.0, text/event-stream", events),
        ("text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0;q=0.6, application/json", parts),
        (
            "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json;q=0.9",
            parts,
        ),
        ("multipart/mixed;subscriptionSpec=\"1.0\", */*", parts),
    ] {
        let stream = server.post_for_stream(&token, accept, SUBSCRIBE, &json!({}));
        assert_eq!(stream.head.header("content-type"), content_type, "{accept}");
        let answer = server.post_for_stream(&token, accept, "{ me { id } }", &json!({})).head;
        let expected = match accept {
            _ if accept.contains("graphql-response") => "application/graphql-response+json; charset=utf-8",
            _ if accept.contains("application/json") || accept.contains("*/*") => {
                "application/json; charset=utf-8"
            }
            _ => events,
        };
        assert_eq!(answer.header("content-type"), expected, "{accept}");
    }
    let query =
        server.post_for_stream(&token, "multipart/mixed;subscriptionSpec=1.0", "{ me { id } }", &json!({}));
    assert_eq!(query.head.status, 406);
    let mutation = "mutation { createTask(input: { title: \"one\" }) { task { id } } }";
    let answer =
        server.post_for_stream(&token, "text/event-stream, application/json", mutation, &json!({})).head;
    assert!(answer.json()["data"]["createTask"]["task"]["id"].is_string());
}

#[test]
fn a_silent_stream_sends_comments() {
    let server = ServerEnv::new().with("STREAM_KEEPALIVE", "1s").start(&[]);
    let token = server.register("ann");
    let mut stream = server.post_for_stream(&token, ACCEPT, SUBSCRIBE, &json!({}));
    stream.event();
    assert_eq!([stream.chunk(), stream.chunk()], [Some(":\n\n".to_owned()), Some(":\n\n".to_owned())]);
}

#[test]
fn a_stream_ends_when_the_client_closes_its_sending_side() {
    let server = ServerEnv::new().with("LIMIT_STREAMS_PER_USER", "1").start(&[]);
    let token = server.register("ann");
    for is_noisy in [false, true] {
        let mut stream = server.post_for_stream(&token, ACCEPT, SUBSCRIBE, &json!({}));
        wait_until("the only place is free", || {
            if stream.head.status != 200 {
                stream = server.post_for_stream(&token, ACCEPT, SUBSCRIBE, &json!({}));
            }
            stream.head.status == 200
        });
        stream.event();
        if is_noisy {
            std::io::Write::write_all(&mut stream.stream(), b"GET / HTTP/1.1\r\n").expect("the server reads");
        }
        stream.close_sending_side();
        assert_eq!(stream.rest(), "");
    }
}
