//! A stop ends all streams, after the time in which the server still accepts requests.

use std::time::{Duration, Instant};

use super::SUBSCRIBE;
use crate::support::{ServerEnv, json, wait_until};

#[test]
fn a_stop_ends_every_stream_within_a_second() {
    let mut server = ServerEnv::new()
        .with("SHUTDOWN_GRACE", "1s")
        .with("LIMIT_STREAMS_PER_USER", "0")
        .with("LIMIT_CONNECTIONS_PER_ADDRESS", "0")
        .start(&[]);
    let token = server.register("ann");
    let mut sockets: Vec<_> = (0..300).map(|_| server.signed_in_web_socket(&token)).collect();
    for socket in &mut sockets {
        socket.subscribe("1", SUBSCRIBE, &json!({}));
        socket.next("1");
    }
    let mut uninitialized = server.web_socket();
    let accept = ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"];
    let mut streams = accept.map(|accept| server.post_for_stream(&token, accept, SUBSCRIBE, &json!({})));
    assert!(streams.iter_mut().all(|stream| stream.chunk().is_some()));

    server.signal("TERM");
    wait_until("readyz says 503", || server.get("/readyz").status == 503);
    let signalled = Instant::now();
    let refused = server.post_for_stream(&token, accept[0], SUBSCRIBE, &json!({})).head;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    wait_until("the listener closes", || !server.accepts_connections());
    for socket in sockets.iter_mut().chain([&mut uninitialized]) {
        assert_eq!(socket.close_frame(), "1001 Server is stopping");
    }
    for stream in &mut streams {
        assert_eq!(stream.rest(), "");
    }
    assert!(server.exits_cleanly());
    assert!(signalled.elapsed() < Duration::from_secs(3), "{:?}", signalled.elapsed());
    let log = server.log();
    assert_eq!(log.matches("\"close\":\"1001\"").count(), 301, "{log}");
    assert_eq!(log.matches("\"close\":\"cut\"").count(), 2, "{log}");
}
