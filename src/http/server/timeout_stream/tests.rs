//! Tests of the timeouts, of resets and of early requests.

use std::future::{pending, poll_fn};
use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::timeouts::HEAD_TIMEOUT;
use super::*;
use crate::http::server::HttpStream;

#[tokio::test(start_paused = true)]
async fn a_head_that_takes_too_long_ends_the_connection() {
    for sent in ["", "GET / HT"] {
        let (mut client, server) = duplex(64);
        client.write_all(sent.as_bytes()).await.expect("the pipe takes it");
        let mut server = TimeoutStream::new(server, Arc::default());
        let mut read = Vec::new();
        let error = server.read_to_end(&mut read).await.expect_err("the head never ends");
        assert_eq!((error.kind(), read.as_slice()), (ErrorKind::TimedOut, sent.as_bytes()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_be_idle_and_its_requests_may_take_long() {
    let (mut client, server) = duplex(64);
    let state = Arc::new(ConnectionState::default());
    let mut server = TimeoutStream::new(server, state.clone());
    let mut buffer = [0; 8];
    for is_slow in [false, true, false, true] {
        client.write_all(b"GET /").await.expect("the pipe takes it");
        assert_eq!(server.read(&mut buffer).await.expect("a head"), 5);
        // A fast response is complete before the stream is read again.
        let request = state.begin_request(false);
        if is_slow {
            let more = timeout(6 * HEAD_TIMEOUT, server.read(&mut buffer)).await;
            assert!(more.is_err(), "it was cut while served");
        }
        drop(request);
        let next = timeout(5 * HEAD_TIMEOUT, server.read(&mut buffer)).await;
        assert!(next.is_err(), "it was cut while idle");
    }
}

/// Flushes while a request is served, as hyper does each time that it runs.
async fn flush_while_served(
    sent: &[u8],
    server: &mut TimeoutStream<DuplexStream>,
    client: &mut DuplexStream,
) {
    client.write_all(sent).await.expect("the pipe takes it");
    server.read_exact(&mut vec![0; sent.len()]).await.expect("a request");
    let _request = server.state.begin_request(false);
    client.write_all(b"next").await.expect("the pipe takes it");
    server.flush().await.expect("nothing is wrong");
}

#[tokio::test]
async fn what_is_sent_while_a_request_is_served_is_read_after_it() {
    let (mut client, server) = duplex(64);
    let mut server = TimeoutStream::new(server, Arc::default());
    flush_while_served(b"GET /", &mut server, &mut client).await;
    client.shutdown().await.expect("it is open");
    let mut next = String::new();
    server.read_to_string(&mut next).await.expect("text");
    assert_eq!(next, "next");
}

#[tokio::test]
async fn a_client_that_closes_its_side_is_not_taken_for_gone() {
    let (mut client, server) = duplex(64);
    let mut server = TimeoutStream::new(server, Arc::default());
    let _request = server.state.begin_request(false);
    client.shutdown().await.expect("it is open");
    server.flush().await.expect("it is open");
    server.write_all(b"reply!").await.expect("it is open");
    let mut response = [0; 6];
    client.read_exact(&mut response).await.expect("the response");
    assert_eq!(server.read(&mut response).await.expect("the end"), 0);
}

#[tokio::test]
async fn a_reset_while_a_request_is_served_is_noticed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("it listens");
    let (server, _) = listener.accept().await.expect("a client");
    let mut server = TimeoutStream::new(server, Arc::default());
    let _request = server.state.begin_request(false);
    server.flush().await.expect("the client is there");
    client.set_zero_linger().expect("the socket takes the option");
    drop(client);
    let flushed = poll_fn(|context| match Pin::new(&mut server).poll_flush(context) {
        Poll::Ready(Ok(())) => Poll::Pending,
        ended => ended,
    });
    let flushed = timeout(5 * SECOND, flushed).await.expect("the task is woken");
    assert_eq!(flushed.expect_err("the connection is reset").kind(), ErrorKind::ConnectionReset);
}

const SECOND: Duration = Duration::from_secs(1);

/// Writes a response to a client that reads `taken` bytes with a pause before each, then nothing more.
/// Returns the result and the seconds until then.
async fn write(response: &[u8], taken: usize, pause: Duration) -> (Result<()>, u64) {
    let (mut client, server) = duplex(1);
    let mut server = TimeoutStream::new(server, Arc::default());
    let begun = Instant::now();
    let writing = async {
        server.write_all(response).await?;
        server.flush().await
    };
    let reading = async {
        for _ in 0..taken {
            tokio::time::sleep(pause).await;
            client.read_u8().await.expect("there is more");
        }
        pending::<()>().await;
    };
    tokio::select! {
        written = writing => (written, begun.elapsed().as_secs()),
        () = reading => unreachable!("it never ends"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_taken_ends_the_connection() {
    for (taken, seconds) in [(0, 10), (1, 9 + 10), (3, 3 * 9 + 10)] {
        let (written, after) = write(&[0; 100], taken, 9 * SECOND).await;
        assert_eq!((written.expect_err("it was cut").kind(), after), (ErrorKind::TimedOut, seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_taken_drop_by_drop_has_a_minute() {
    let (written, after) = write(&[0; 60], 100, SECOND).await;
    assert!(written.is_ok() && after == 59, "{written:?} after {after} s");
    let (written, after) = write(&[0; 100], 100, SECOND).await;
    assert_eq!((written.expect_err("it was cut").kind(), after), (ErrorKind::TimedOut, 60));
}

/// Writes 40 bytes to a client that reads one each second.
async fn write_for_40_seconds(server: &mut TimeoutStream<DuplexStream>, client: &mut DuplexStream) {
    let writing = async {
        server.write_all(&[0; 40]).await?;
        server.flush().await
    };
    let reading = async {
        for _ in 0..40 {
            tokio::time::sleep(SECOND).await;
            client.read_u8().await.expect("there is more");
        }
    };
    let (written, ()) = tokio::join!(writing, reading);
    written.expect("it was not cut");
}

#[tokio::test(start_paused = true)]
async fn each_answer_has_its_own_time() {
    let (mut client, server) = duplex(1);
    let mut server = TimeoutStream::new(server, Arc::default());
    for _ in 0..3 {
        write_for_40_seconds(&mut server, &mut client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_event_of_a_stream_has_its_own_time() {
    let (mut client, server) = duplex(1);
    let state = Arc::new(ConnectionState::default());
    let request = state.begin_request(false);
    state.mark_http_stream(HttpStream::cut_after(pending()));
    let mut server = TimeoutStream::new(server, state);
    for _ in 0..3 {
        request.set_awaits_frame(true);
        write_for_40_seconds(&mut server, &mut client).await;
    }
}

#[tokio::test]
async fn an_http_stream_ends_when_the_client_has_closed_its_side_even_after_further_bytes() {
    let (mut client, server) = duplex(1 << 10);
    let state = Arc::new(ConnectionState::default());
    let _request = state.begin_request(false);
    state.mark_http_stream(HttpStream::cut_after(pending()));
    let mut server = TimeoutStream::new(server, state);
    client.write_all(&[b'x'; 500]).await.expect("the pipe takes it");
    server.flush().await.expect("the client is there");
    client.shutdown().await.expect("the pipe is open");
    let error = server.flush().await.expect_err("the client has closed its side");
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_has_no_time_limit_for_a_head() {
    let (mut client, server) = duplex(64);
    let state = Arc::new(ConnectionState::default());
    drop(state.begin_request(false));
    state.mark_upgraded();
    let mut server = TimeoutStream::new(server, state);
    let mut buffer = [0; 8];
    for _ in 0..3 {
        client.write_all(b"frame").await.expect("the pipe takes it");
        assert_eq!(server.read(&mut buffer).await.expect("a frame"), 5);
        assert!(timeout(5 * HEAD_TIMEOUT, server.read(&mut buffer)).await.is_err(), "it was cut while idle");
    }
}
