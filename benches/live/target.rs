//! What is measured: taskhold and the peer, with the requests that each of them understands.

use std::any::Any;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::data;
use crate::support::{ServerEnv, operation};

/// A server program and its protocol. The numbers of users and tasks are those of [`data`].
pub trait Target: Sync {
    fn start(&self) -> Instance;

    /// A WebSocket of a user that is told the changes after a cursor, or from now on.
    fn subscriber(&self, user: usize, after: Option<&str>) -> Subscriber;

    /// The HTTP request that sets the title of a task, given as user and task.
    fn change(&self, task: (usize, usize), title: &str) -> String;

    /// The HTTP request for up to 100 changes of a user after a cursor.
    fn page(&self, user: usize, after: Option<&str>) -> String;

    /// The response to [`Self::page`].
    fn read_page(&self, body: Value) -> Page;
}

/// A running server, which is killed when the value is dropped.
pub struct Instance {
    pub address: String,
    pub pid: u32,
    _process: Box<dyn Any>,
}

/// How a client opens a WebSocket and begins to listen.
pub struct Subscriber {
    pub path: String,
    pub subprotocol: Option<&'static str>,
    /// The messages to send. The server sends one message after each; after an empty text, which is not sent, too.
    pub opening: Vec<String>,
}

/// A page of changes.
pub struct Page {
    pub changes: usize,
    pub cursor: String,
    pub has_more: bool,
}

/// The program in `TASKHOLD_BIN`, or the one that cargo has built.
pub struct Taskhold {
    env: ServerEnv,
    tokens: Vec<String>,
}

const CHANGE: &str = "mutation($id: ID!, $title: String!) {
    updateTask(id: $id, input: { title: $title }) { task { id version } } }";
const CHANGES: &str = "($after: String) { taskChanges(after: $after, first: 100) {
    changes { taskId kind version task { id title status version updatedAt } } cursor hasMore } }";

impl Taskhold {
    pub fn new(url: &str) -> Self {
        let env = ServerEnv::on_url(url)
            .with("LIMIT_CONNECTIONS", "10000")
            .with("LIMIT_CONNECTIONS_PER_ADDRESS", "0")
            .with("LIMIT_STREAMS_PER_USER", "0");
        Self { env, tokens: data::access_tokens() }
    }
}

impl Target for Taskhold {
    fn start(&self) -> Instance {
        let server = self.env.start(&[]);
        Instance { address: server.address.clone(), pid: server.pid(), _process: Box::new(server) }
    }

    fn subscriber(&self, user: usize, after: Option<&str>) -> Subscriber {
        let authorization = format!("Bearer {}", self.tokens[user]);
        let payload = json!({ "query": format!("subscription{CHANGES}"), "variables": { "after": after } });
        let opening = [
            json!({ "type": "connection_init", "payload": { "authorization": authorization } }),
            json!({ "type": "subscribe", "id": "1", "payload": payload }),
        ];
        Subscriber {
            path: "/graphql".to_owned(),
            subprotocol: Some("graphql-transport-ws"),
            opening: opening.map(|message| message.to_string()).to_vec(),
        }
    }

    fn change(&self, (user, task): (usize, usize), title: &str) -> String {
        operation(&self.tokens[user], CHANGE, &json!({ "id": data::task_id(user, task), "title": title }))
    }

    fn page(&self, user: usize, after: Option<&str>) -> String {
        operation(&self.tokens[user], &format!("query{CHANGES}"), &json!({ "after": after }))
    }

    fn read_page(&self, mut body: Value) -> Page {
        page(body["data"]["taskChanges"].take())
    }
}

/// The server in `peer/server.js`.
pub struct Peer {
    url: String,
    folder: PathBuf,
}

impl Peer {
    /// Installs the libraries of the peer; None without Node.js and npm.
    pub fn new(url: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/live/peer");
        let mut install = Command::new("npm");
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        let installed = install.current_dir(&folder).stdout(Stdio::null()).status();
        installed.is_ok_and(|status| status.success()).then(|| Self { url: url.to_owned(), folder })
    }
}

impl Target for Peer {
    fn start(&self) -> Instance {
        let mut node = Command::new("node");
        node.arg("server.js").current_dir(&self.folder).env("DATABASE_URL", &self.url);
        let mut node = NodeProcess(node.stdout(Stdio::piped()).spawn().expect("Node.js is installed"));
        let mut address = String::new();
        let stdout = node.0.stdout.as_mut().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut address).expect("the peer prints its address");
        Instance { address: address.trim().to_owned(), pid: node.0.id(), _process: Box::new(node) }
    }

    fn subscriber(&self, user: usize, after: Option<&str>) -> Subscriber {
        assert!(after.is_none(), "the peer has no resumption");
        let path = format!("/?token={}", data::id(user));
        Subscriber { path, subprotocol: None, opening: vec![String::new()] }
    }

    fn change(&self, (user, task): (usize, usize), title: &str) -> String {
        let (id, token) = (data::task_id(user, task), data::id(user));
        let body = json!({ "title": title }).to_string();
        let length = body.len();
        format!(
            "POST /tasks/{id}?token={token} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    }

    fn page(&self, user: usize, after: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("token", &data::id(user).to_string())
            .append_pair("after", after.unwrap_or_default());
        format!("GET /changes?{} HTTP/1.1\r\nhost: test\r\n\r\n", query.finish())
    }

    fn read_page(&self, body: Value) -> Page {
        page(body)
    }
}

fn page(body: Value) -> Page {
    Page {
        changes: body["changes"].as_array().expect("a list").len(),
        cursor: body["cursor"].as_str().expect("a text").to_owned(),
        has_more: body["hasMore"].as_bool().expect("a boolean"),
    }
}

struct NodeProcess(Child);

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // This fails if the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
