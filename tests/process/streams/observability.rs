//! Streams in the log and in the metrics.

use super::{CREATE, SUBSCRIBE};
use crate::process::observability::metrics::{metrics_env, scrape, value};
use crate::support::{Server, Value, json, wait_until};

/// The lines of the log with this message.
fn lines(server: &Server, message: &str) -> Vec<Value> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

#[test]
fn a_stream_is_one_line_in_the_log_when_it_ends() {
    let server = metrics_env().start(&[]);
    let token = server.register("ann");
    let query = SUBSCRIBE.replace("subscription", "subscription Live");
    let mut socket = server.signed_in_web_socket(&token);
    socket.subscribe("1", &query, &json!({}));
    socket.next("1");
    let mut events = server.post_for_stream(&token, "text/event-stream", &query, &json!({}));
    let id = events.head.header("x-request-id").to_owned();
    let (_, cursor) = events.event();
    let mut parts =
        server.post_for_stream(&token, "multipart/mixed;subscriptionSpec=1.0", &query, &json!({}));
    parts.read_to("--graphql");
    assert!(lines(&server, "stream").is_empty());
    server.post(&token, CREATE, &json!({ "input": { "title": "a secret title" } }));
    socket.next("1");
    events.event();
    parts.read_to("--graphql");

    let metrics = scrape(&server);
    for transport in ["websocket", "event-stream", "multipart"] {
        let labels = format!("{{transport=\"{transport}\"}}");
        assert_eq!(value(&metrics, &format!("taskhold_streams{labels}")), Some(1.0), "{metrics}");
        assert_eq!(value(&metrics, &format!("taskhold_stream_events_total{labels}")), Some(2.0), "{metrics}");
    }
    let counted = "taskhold_graphql_request_duration_seconds_count{operation_type=\"mutation\",code=\"OK\"}";
    assert_eq!(value(&metrics, counted), Some(2.0), "register and createTask: {metrics}");
    assert_eq!(metrics.matches("seconds_count{").count(), 1, "{metrics}");

    socket.close();
    drop(events);
    server.post(&token, "mutation { logout { success } }", &json!({}));
    parts.rest();
    wait_until("all streams are logged", || lines(&server, "stream").len() == 3);
    let mut signed_in = lines(&server, "request").into_iter().filter(|line| line["user_id"].is_string());
    let me = signed_in.next_back().expect("createTask is logged");
    for line in lines(&server, "stream") {
        let (transport, close) = (line["transport"].as_str(), line["close"].as_str());
        let expected = match transport {
            Some("websocket") => Some("1000"),
            Some("event-stream") => Some("gone"),
            _ => Some("complete"),
        };
        assert_eq!((close, line["events"].as_u64()), (expected, Some(2)), "{line}");
        assert!(line["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0), "{line}");
        assert_eq!((&line["user_id"], &line["session_id"]), (&me["user_id"], &me["session_id"]));
        let is_http = transport != Some("websocket");
        assert_eq!(line["operation"] == "Live", is_http, "{line}");
        assert_eq!(line["document"].is_string(), is_http, "{line}");
        assert_eq!(line["request_id"] == id.as_str(), transport == Some("event-stream"));
    }
    let ids: Vec<_> = lines(&server, "stream").iter().map(|line| line["request_id"].clone()).collect();
    assert!(!lines(&server, "request").iter().any(|line| ids.contains(&line["request_id"])));
    let log = server.log();
    assert!(!log.contains("secret") && !log.contains(&cursor) && !log.contains(&token), "{log}");
    let metrics = scrape(&server);
    assert_eq!(value(&metrics, "taskhold_streams{transport=\"websocket\"}"), Some(0.0));
}

#[test]
fn a_websocket_that_is_refused_leaves_a_line_of_its_own() {
    let server = metrics_env().start(&[]);
    let mut socket = server.web_socket();
    socket.send(&json!({ "type": "connection_init", "payload": { "authorization": "Bearer secret" } }));
    assert_eq!(socket.close_frame(), "4401 Invalid token");
    wait_until("it is logged", || !lines(&server, "a WebSocket ended before connection_ack").is_empty());
    assert_eq!(lines(&server, "a WebSocket ended before connection_ack")[0]["close"], "4401");
    assert!(lines(&server, "stream").is_empty() && !server.log().contains("secret"));
}
