//! A client of a few lines, which sees the bytes as they are.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

/// The password of every user that the tests register.
pub const PASSWORD: &str = "correct-horse-1";

/// The bytes of a request for an operation.
pub fn operation(token: &str, query: &str, variables: &Value) -> String {
    request(token, &json!({ "query": query, "variables": variables }))
}

fn request(token: &str, body: &Value) -> String {
    let body = body.to_string();
    let authorization =
        if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n{authorization}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One connection.
pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn connect(address: &str, time_limit: Duration) -> Self {
        Self::try_connect(address, time_limit).expect("the server accepts")
    }

    /// A connection to a server that may go away.
    pub(super) fn try_connect(address: &str, time_limit: Duration) -> Option<Self> {
        TcpStream::connect(address).ok().map(|stream| Self::over(stream, time_limit))
    }

    pub(super) fn over(stream: TcpStream, time_limit: Duration) -> Self {
        stream.set_read_timeout(Some(time_limit)).expect("the time limit is valid");
        stream.set_nodelay(true).expect("the socket takes the option");
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, bytes: &str) {
        self.0.get_mut().write_all(bytes.as_bytes()).expect("the server reads");
    }

    /// Sends what the server need not read to its end.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Posts an operation, with a token or with an empty one for none.
    pub fn post(&mut self, token: &str, query: &str, variables: &Value) -> Reply {
        self.send(&operation(token, query, variables));
        self.reply()
    }

    /// Posts a body of any kind.
    pub fn post_body(&mut self, token: &str, body: &Value) -> Reply {
        self.send(&request(token, body));
        self.reply()
    }

    /// The next response.
    pub fn reply(&mut self) -> Reply {
        self.whole_reply().expect("a response comes in time, and whole")
    }

    /// Posts an operation to a server that may go away.
    pub fn try_post(&mut self, token: &str, query: &str, variables: &Value) -> Option<Reply> {
        let request = operation(token, query, variables);
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        self.whole_reply()
    }

    fn whole_reply(&mut self) -> Option<Reply> {
        let mut line = || {
            let mut line = String::new();
            let read = self.0.read_line(&mut line);
            read.is_ok_and(|length| length > 0).then(|| line.trim_end().to_owned())
        };
        let status = line()?.split(' ').nth(1)?.parse().ok()?;
        let mut reply = Reply { status, headers: Vec::new(), body: String::new() };
        loop {
            let line = line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            reply.headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let length = reply.header("content-length").parse().unwrap_or(0);
        let body = Read::by_ref(&mut self.0).take(length).read_to_string(&mut reply.body);
        body.is_ok_and(|read| read as u64 == length).then_some(reply)
    }

    /// The connection itself, for what nobody does who means well.
    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Whether the server closes the connection without another word.
    pub fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(length) => length == 0,
            // What was sent and never read makes it a reset.
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// In their order, the names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}
