//! A client of event streams and multipart streams, which reads what has arrived so far.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, HttpResponse, Server};

/// The time limit for the next piece.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A stream that has begun.
pub struct HttpStreamClient {
    pub head: HttpResponse,
    stream: BufReader<TcpStream>,
}

impl HttpStreamClient {
    /// Reads the head of a stream that a client has asked for.
    pub fn of(client: Client) -> Self {
        read_head(client.0)
    }

    /// Reads the next chunk, or None at the end of the response or of the connection.
    pub fn chunk(&mut self) -> Option<String> {
        let mut length = String::new();
        self.stream.read_line(&mut length).ok()?;
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).ok()?;
        chunk.truncate(length);
        (length > 0).then(|| String::from_utf8(chunk).expect("a chunk is text"))
    }

    /// Reads until the text that has arrived ends with this one. Returns the text.
    pub fn read_to(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            text += &self.chunk().unwrap_or_else(|| panic!("the stream ended after {text:?}"));
        }
        text
    }

    /// Reads all that follows.
    pub fn rest(&mut self) -> String {
        std::iter::from_fn(|| self.chunk()).collect()
    }

    /// The result and the cursor of the next event of an event stream.
    pub fn event(&mut self) -> (Value, String) {
        parse_event(&self.read_to("\n\n"))
    }

    /// As [`Self::event`], after any number of comments.
    pub fn event_after_comments(&mut self) -> (Value, String) {
        let mut text = ":\n\n".to_owned();
        while text == ":\n\n" {
            text = self.read_to("\n\n");
        }
        parse_event(&text)
    }

    /// Closes the sending side.
    pub fn close_sending_side(&self) {
        self.stream.get_ref().shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// The connection, for tests of misbehaving clients.
    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

fn parse_event(text: &str) -> (Value, String) {
    let lines: Vec<_> = text.trim_end().lines().collect();
    let [event, id, data] = lines[..] else { panic!("{text:?}") };
    assert_eq!(event, "event: next");
    let id = id.strip_prefix("id: ").expect("an id");
    let data = data.strip_prefix("data: ").expect("data");
    (serde_json::from_str(data).expect("the data are JSON"), id.to_owned())
}

impl Server {
    /// Posts an operation with these values of Accept and of further header lines.
    pub fn post_for_stream(
        &self,
        token: &str,
        accept: &str,
        query: &str,
        variables: &Value,
    ) -> HttpStreamClient {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let authorization =
            if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let mut stream = TcpStream::connect(&self.address).expect("the server accepts");
        stream.set_read_timeout(Some(TIME_LIMIT)).expect("the time limit is valid");
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\naccept: {accept}\r\n\
             {authorization}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("the server reads");
        read_head(BufReader::new(stream))
    }
}

/// Reads the head of a response, and the body of a refusal.
fn read_head(mut stream: BufReader<TcpStream>) -> HttpStreamClient {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a head arrives");
        line.trim_end().to_owned()
    };
    let status = line().split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let mut head = HttpResponse { status, headers: Vec::new(), body: String::new() };
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(':') else { break };
        head.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    // A refusal has a length.
    if let Ok(length) = head.header("content-length").parse() {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).expect("the body arrives");
        head.body = String::from_utf8(body).expect("the body is text");
    }
    HttpStreamClient { head, stream }
}
