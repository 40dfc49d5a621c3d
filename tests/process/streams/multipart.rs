//! Multipart streams, as Apollo Client reads them.

use super::{CREATE, SUBSCRIBE};
use crate::support::{ServerEnv, json};

const ACCEPT: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json";

#[test]
fn each_part_is_sent_with_the_delimiter_after_it() {
    let server = ServerEnv::new().with("STREAM_KEEPALIVE", "1s").start(&[]);
    let token = server.register("ann");
    let mut stream = server.post_for_stream(&token, ACCEPT, SUBSCRIBE, &json!({}));
    assert_eq!(stream.head.status, 200);
    assert_eq!(stream.head.header("cache-control"), "no-store, no-transform");
    assert_eq!(stream.head.header("x-accel-buffering"), "no");
    let first = stream.read_to("\r\n--graphql");
    let head = "\r\ncontent-type: application/json\r\n\r\n";
    let begins = format!("--graphql{head}{{\"payload\":{{\"data\":{{\"taskChanges\":{{\"changes\":[],");
    assert!(first.starts_with(&begins), "{first}");
    server.post(&token, CREATE, &json!({ "input": { "title": "one" } }));
    let second = stream.read_to("\r\n--graphql");
    assert!(
        second.starts_with(&format!("{head}{{\"payload\":{{\"data\":")) && second.contains("\"one\""),
        "{second}"
    );
    assert_eq!(stream.read_to("\r\n--graphql"), format!("{head}{{}}\r\n--graphql"));
    // The end of the session ends the stream.
    server.post(&token, "mutation { logout { success } }", &json!({}));
    let last = stream.rest();
    assert!(last.starts_with(&format!("{head}{{\"payload\":null,\"errors\":[{{")), "{last}");
    assert!(
        last.contains("\"code\":\"UNAUTHENTICATED\"") && last.ends_with("]}\r\n--graphql--\r\n"),
        "{last}"
    );
}

#[test]
fn a_fault_of_the_document_or_its_values_is_told_as_json() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    for (query, code) in [
        ("subscription { nothing }", "BAD_REQUEST"),
        ("subscription { taskChanges(first: 0) { cursor } }", "BAD_USER_INPUT"),
        ("subscription { taskChanges(after: \"x\") { cursor } }", "BAD_USER_INPUT"),
    ] {
        let answer = server.post_for_stream(&token, ACCEPT, query, &json!({})).head;
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8", "{query}");
        let answer = answer.json();
        assert_eq!(answer["errors"][0]["extensions"]["code"], code);
        assert!(answer.get("data").is_none(), "{answer}");
    }
}
