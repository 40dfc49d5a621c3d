//! Clients that write and read continuously, including while requests fail, until a test stops them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::client::{Client, HttpResponse};
use super::ledger::Ledger;
use super::server::{Server, wait_within};

/// The code recorded for a write without a response, because the server was killed.
pub const CONNECTION_CLOSED: &str = "(connection closed)";

const WRITERS: usize = 4;
/// Slightly more than the time limit of a request (15 s).
const RESPONSE_LIMIT: Duration = Duration::from_secs(16);
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(20);

const CREATE: &str =
    "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id title version } } }";
const UPDATE: &str = "mutation($id: ID!, $input: UpdateTaskInput!) {
    updateTask(id: $id, input: $input) { task { id title version } } }";
const READ: &str = "query($id: ID!) { task(id: $id) { version } }";

/// Several writers in threads, each on its own connection.
pub struct Load {
    is_stopped: Arc<AtomicBool>,
    codes: Arc<Mutex<Vec<String>>>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts the writers, which record every acknowledged write in the ledger.
    pub fn start(server: &Server, token: &str, ledger: &Arc<Ledger>) -> Self {
        let (is_stopped, codes) = <(Arc<AtomicBool>, Arc<Mutex<Vec<String>>>)>::default();
        let writers = (0..WRITERS).map(|_| {
            let mut writer = Writer::new(&server.address, token, ledger);
            let (is_stopped, codes) = (is_stopped.clone(), codes.clone());
            thread::spawn(move || {
                while !is_stopped.load(Ordering::Relaxed) {
                    let code = writer.write();
                    writer.read();
                    thread::sleep(if code.is_empty() { PAUSE } else { PAUSE_AFTER_ERROR });
                    codes.lock().expect("no holder panics").push(code);
                }
            })
        });
        Self { writers: writers.collect(), is_stopped, codes }
    }

    /// Waits until this number of further writes has succeeded.
    pub fn wait_for_successes(&self, count: usize) {
        self.wait_for("writes succeed", count, |code| code.is_empty());
    }

    /// Waits until this number of further writes has failed.
    pub fn wait_for_errors(&self, count: usize) {
        self.wait_for("writes fail", count, |code| !code.is_empty());
    }

    fn wait_for(&self, what: &str, count: usize, condition: impl Fn(&str) -> bool) {
        let codes = || self.codes.lock().expect("no holder panics");
        let earlier = codes().len();
        let found = || codes()[earlier..].iter().filter(|code| condition(code)).count();
        wait_within(Duration::from_secs(30), what, || found() >= count);
    }

    /// Stops the writers, each after the response to its last write.
    pub fn stop(mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        for writer in self.writers.drain(..) {
            writer.join().expect("every response is as expected");
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

/// Creates and updates tasks sequentially.
pub struct Writer {
    address: String,
    token: String,
    ledger: Arc<Ledger>,
    client: Option<Client>,
    /// The task that was created or updated last.
    last: Option<Value>,
    write_count: usize,
}

impl Writer {
    pub fn new(address: &str, token: &str, ledger: &Arc<Ledger>) -> Self {
        let (address, token, ledger) = (address.to_owned(), token.to_owned(), ledger.clone());
        Self { address, token, ledger, client: None, last: None, write_count: 0 }
    }

    /// The task that was created or updated last.
    pub fn last_task(&self) -> Option<&Value> {
        self.last.as_ref()
    }

    /// Sends the next write: createTask with or without a client-chosen id, or updateTask. Returns the error
    /// code, which is empty on success.
    pub fn write(&mut self) -> String {
        self.write_count += 1;
        let description = format!("{} {}", self.write_count, "x".repeat(2000));
        let mut input = json!({ "description": description });
        match (self.write_count % 3, &self.last) {
            (0, Some(task)) => {
                let (title, id) = (task["title"].as_str().unwrap_or_default().to_owned(), task["id"].clone());
                self.send("updateTask", UPDATE, &title, &json!({ "id": id, "input": input }))
            }
            (rest, _) => {
                let title = self.ledger.new_title();
                input["title"] = json!(title);
                if rest == 1 {
                    input["id"] = json!(Uuid::new_v4());
                }
                self.send("createTask", CREATE, &title, &json!({ "input": input }))
            }
        }
    }

    /// Reads the task that was created or updated last. Returns the error code like [`Writer::write`].
    pub fn read(&mut self) -> String {
        let Some(task) = &self.last else { return String::new() };
        let variables = json!({ "id": task["id"] });
        let (code, _) = self.execute(READ, &variables);
        code
    }

    fn send(&mut self, field: &str, query: &str, title: &str, variables: &Value) -> String {
        self.ledger.record_sent(title);
        let (code, data) = self.execute(query, variables);
        if code.is_empty() {
            let task = &data[field]["task"];
            self.ledger.record_acknowledged(task);
            self.last = Some(task.clone());
        }
        code
    }

    /// The error code and the data of a response.
    fn execute(&mut self, query: &str, variables: &Value) -> (String, Value) {
        let mut response = match self.post(query, variables) {
            Some(response) => response.json(),
            None => json!({ "errors": [{ "extensions": { "code": CONNECTION_CLOSED } }] }),
        };
        if response["errors"].is_null() {
            return (String::new(), response["data"].take());
        }
        let code = response["errors"][0]["extensions"]["code"].as_str().expect("every error has a code");
        self.ledger.record_error(code);
        (code.to_owned(), Value::Null)
    }

    fn post(&mut self, query: &str, variables: &Value) -> Option<HttpResponse> {
        let began = Instant::now();
        if self.client.is_none() {
            self.client = Client::try_connect(&self.address, RESPONSE_LIMIT);
        }
        let response = self.client.as_mut()?.try_post(&self.token, query, variables);
        assert!(began.elapsed() < RESPONSE_LIMIT, "no response within {RESPONSE_LIMIT:?}");
        let is_last = response.as_ref().is_none_or(|response| response.header("connection") == "close");
        if is_last {
            self.client = None;
        }
        response
    }
}
