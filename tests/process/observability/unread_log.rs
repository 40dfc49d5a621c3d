//! A log that is not read delays neither requests nor the stop; its lines are dropped and counted.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Client, ServerEnv, Value, wait_until};

/// More requests than lines that the pipe and the buffer of the log contain.
const REQUESTS: usize = 22_000;
const PIPELINED: usize = 500;
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A server whose standard output only the test reads.
struct UnreadLogServer {
    child: Child,
    address: String,
    metrics: String,
}

impl UnreadLogServer {
    fn start(env: ServerEnv) -> (Self, BufReader<ChildStdout>) {
        let env = env.with("METRICS_BIND", "127.0.0.1:0");
        let mut child = env.command(&[]).stdout(Stdio::piped()).spawn().expect("the program can be started");
        let mut output = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut address_after = |start: &str| loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).expect("the log is text") > 0, "the server ended");
            if let Some((_, rest)) = line.split_once(start) {
                return rest.split('/').next().unwrap_or_default().to_owned();
            }
        };
        let metrics = address_after("metrics are at http://");
        let address = address_after("open http://");
        (Self { child, address, metrics }, output)
    }

    /// Sends requests for an unknown path and reads every response.
    fn send_requests(&self, requests: usize) {
        let mut client = Client::connect(&self.address, TIME_LIMIT);
        let request = "GET /nowhere HTTP/1.1\r\nhost: test\r\n\r\n";
        for _ in 0..requests / PIPELINED {
            client.send(&request.repeat(PIPELINED));
            for _ in 0..PIPELINED {
                assert_eq!(client.read_response().status, 404);
            }
        }
    }

    fn dropped_lines(&self) -> usize {
        let mut client = Client::connect(&self.metrics, TIME_LIMIT);
        client.send("GET /metrics HTTP/1.1\r\nhost: test\r\n\r\n");
        let metrics = client.read_response().body;
        let line = metrics.lines().find_map(|line| line.strip_prefix("taskhold_log_lines_dropped_total "));
        line.expect("the series exists").parse().expect("a number")
    }

    fn exits_cleanly(&mut self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("there is a shell").success());
        let mut status = None;
        wait_until("the server ends", || {
            status = self.child.try_wait().expect("the process can be waited for");
            status.is_some()
        });
        assert!(status.is_some_and(|status| status.success()), "{status:?}");
    }
}

impl Drop for UnreadLogServer {
    fn drop(&mut self) {
        // This fails if the program has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn unread_lines_are_dropped_and_counted_and_reported_when_the_log_is_read_again() {
    let (mut server, output) = UnreadLogServer::start(ServerEnv::new().with("SHUTDOWN_GRACE", "0s"));
    assert_eq!(server.dropped_lines(), 0);
    server.send_requests(REQUESTS);
    let dropped = server.dropped_lines();
    assert!(dropped > 0 && dropped < REQUESTS, "{dropped}");

    let mut read = 0;
    for line in output.lines() {
        let line: Value = serde_json::from_str(&line.expect("text")).expect("every line is JSON");
        if line["message"] == "log lines were dropped, since standard output was not read" {
            assert_eq!((&line["lines"], &line["level"]), (&Value::from(dropped), &Value::from("WARN")));
            break;
        }
        read += usize::from(line["message"] == "request");
    }
    assert_eq!(read + dropped, REQUESTS);
    assert_eq!(server.dropped_lines(), dropped);
    server.exits_cleanly();
}

#[test]
fn a_server_whose_log_is_not_read_stops_in_time() {
    let (mut server, _output) = UnreadLogServer::start(ServerEnv::new().with("SHUTDOWN_GRACE", "0s"));
    // More lines than the pipe can contain.
    server.send_requests(2_000);
    let signalled = Instant::now();
    server.exits_cleanly();
    assert!(signalled.elapsed() < Duration::from_secs(5), "{:?}", signalled.elapsed());
}

#[test]
fn a_server_continues_when_its_log_is_closed() {
    let (mut server, output) = UnreadLogServer::start(ServerEnv::new().with("SHUTDOWN_GRACE", "0s"));
    drop(output);
    server.send_requests(1_000);
    wait_until("the lines are counted", || server.dropped_lines() >= 1_000);
    server.exits_cleanly();
}

#[test]
fn the_last_lines_are_written_before_the_process_ends() {
    let (mut server, mut output) = UnreadLogServer::start(ServerEnv::new().with("SHUTDOWN_GRACE", "0s"));
    server.send_requests(PIPELINED);
    let reader = std::thread::spawn(move || {
        let mut log = String::new();
        output.read_to_string(&mut log).map(|_| log)
    });
    server.exits_cleanly();
    let log = reader.join().expect("the reader does not panic").expect("the log is text");
    assert_eq!(log.matches(r#""message":"request""#).count(), PIPELINED);
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains("stopping: requests in flight are finished"), "{last}");
}
