//! A minimal HTTP client on one TCP connection, which gives tests control of the bytes that are sent.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

/// The password of every user that the tests register.
pub const PASSWORD: &str = "correct-horse-1";

/// The bytes of a POST request for an operation.
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

/// One connection to the server.
pub struct Client(pub(super) BufReader<TcpStream>);

impl Client {
    pub fn connect(address: &str, time_limit: Duration) -> Self {
        Self::try_connect(address, time_limit).expect("the server accepts")
    }

    /// A connection to a server that may have ended.
    pub fn try_connect(address: &str, time_limit: Duration) -> Option<Self> {
        TcpStream::connect(address).ok().map(|stream| Self::from_stream(stream, time_limit))
    }

    pub(super) fn from_stream(stream: TcpStream, time_limit: Duration) -> Self {
        stream.set_read_timeout(Some(time_limit)).expect("the time limit is valid");
        stream.set_nodelay(true).expect("the socket takes the option");
        Self(BufReader::new(stream))
    }

    pub fn send(&mut self, bytes: &str) {
        self.0.get_mut().write_all(bytes.as_bytes()).expect("the server reads");
    }

    /// Sends bytes that the server may refuse to read completely.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Posts an operation. An empty token sends no authorization header.
    pub fn post(&mut self, token: &str, query: &str, variables: &Value) -> HttpResponse {
        self.send(&operation(token, query, variables));
        self.read_response()
    }

    /// Posts any JSON body.
    pub fn post_body(&mut self, token: &str, body: &Value) -> HttpResponse {
        self.send(&request(token, body));
        self.read_response()
    }

    /// Reads the next response.
    pub fn read_response(&mut self) -> HttpResponse {
        self.try_read_response().expect("a complete response arrives within the time limit")
    }

    /// Posts an operation to a server that may end before it responds.
    pub fn try_post(&mut self, token: &str, query: &str, variables: &Value) -> Option<HttpResponse> {
        let request = operation(token, query, variables);
        self.0.get_mut().write_all(request.as_bytes()).ok()?;
        self.try_read_response()
    }

    fn try_read_response(&mut self) -> Option<HttpResponse> {
        let mut line = || {
            let mut line = String::new();
            let read = self.0.read_line(&mut line);
            read.is_ok_and(|length| length > 0).then(|| line.trim_end().to_owned())
        };
        let status = line()?.split(' ').nth(1)?.parse().ok()?;
        let mut response = HttpResponse { status, headers: Vec::new(), body: String::new() };
        loop {
            let line = line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            response.headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let length = response.header("content-length").parse().unwrap_or(0);
        let body = Read::by_ref(&mut self.0).take(length).read_to_string(&mut response.body);
        body.is_ok_and(|read| read as u64 == length).then_some(response)
    }

    /// The TCP stream, for tests of misbehaving clients.
    pub fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Whether the server closes the connection without sending more data.
    pub fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(length) => length == 0,
            // The connection is reset if the server did not read all that was sent.
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

/// An HTTP response.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: u16,
    /// Names in lower case and values, in the order of the response.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl HttpResponse {
    /// The value of a header; empty if the response does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}
