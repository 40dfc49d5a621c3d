//! Clients that write and read until they are told to stop, through faults and refusals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::client::{Client, Reply};
use super::ledger::Ledger;
use super::server::{Server, wait_within};

/// The code of a write without an answer, because the server was killed.
pub const CONNECTION_CLOSED: &str = "(connection closed)";

const WRITERS: usize = 4;
/// A little more than the time limit of a request.
const ANSWER_LIMIT: Duration = Duration::from_secs(16);
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(20);

const CREATE: &str =
    "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id title version } } }";
const UPDATE: &str = "mutation($id: ID!, $input: UpdateTaskInput!) {
    updateTask(id: $id, input: $input) { task { id title version } } }";
const READ: &str = "query($id: ID!) { task(id: $id) { version } }";

/// Several writers, each on a connection of its own.
pub struct Load {
    is_stopped: Arc<AtomicBool>,
    codes: Arc<Mutex<Vec<String>>>,
    writers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts the writers. They record in the ledger what is acknowledged to them.
    pub fn start(server: &Server, token: &str, ledger: &Arc<Ledger>) -> Self {
        let (is_stopped, codes) = <(Arc<AtomicBool>, Arc<Mutex<Vec<String>>>)>::default();
        let writers = (0..WRITERS).map(|_| {
            let mut writer = Writer::new(&server.address, token, ledger);
            let (is_stopped, codes) = (is_stopped.clone(), codes.clone());
            thread::spawn(move || {
                while !is_stopped.load(Ordering::Relaxed) {
                    let code = writer.write();
                    writer.read();
                    thread::sleep(if code.is_empty() { PAUSE } else { PAUSE_AFTER_REFUSAL });
                    codes.lock().expect("no holder panics").push(code);
                }
            })
        });
        Self { writers: writers.collect(), is_stopped, codes }
    }

    /// Waits for a number of further writes that succeed.
    pub fn wait_for_successes(&self, count: usize) {
        self.wait_for("writes succeed", count, |code| code.is_empty());
    }

    /// Waits for a number of further writes that are refused.
    pub fn wait_for_refusals(&self, count: usize) {
        self.wait_for("writes are refused", count, |code| !code.is_empty());
    }

    fn wait_for(&self, what: &str, count: usize, condition: impl Fn(&str) -> bool) {
        let codes = || self.codes.lock().expect("no holder panics");
        let earlier = codes().len();
        let found = || codes()[earlier..].iter().filter(|code| condition(code)).count();
        wait_within(Duration::from_secs(30), what, || found() >= count);
    }

    /// Ends the writers, each after the answer to its last write.
    pub fn stop(mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        for writer in self.writers.drain(..) {
            writer.join().expect("every answer is in order");
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

/// Creates and updates tasks, one after the other.
pub struct Writer {
    address: String,
    token: String,
    ledger: Arc<Ledger>,
    client: Option<Client>,
    /// The task that was created or updated last.
    last: Option<Value>,
    turn: usize,
}

impl Writer {
    pub fn new(address: &str, token: &str, ledger: &Arc<Ledger>) -> Self {
        let (address, token, ledger) = (address.to_owned(), token.to_owned(), ledger.clone());
        Self { address, token, ledger, client: None, last: None, turn: 0 }
    }

    /// The task that was created or updated last.
    pub fn last_task(&self) -> Option<&Value> {
        self.last.as_ref()
    }

    /// The next write: a createTask, one with an id of the client's, or an updateTask. Gives the code of the
    /// refusal, or an empty one.
    pub fn write(&mut self) -> String {
        self.turn += 1;
        let description = format!("{} {}", self.turn, "x".repeat(2000));
        let mut input = json!({ "description": description });
        match (self.turn % 3, &self.last) {
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

    /// A read of the task that was created or updated last. Gives the code like [`Writer::write`].
    pub fn read(&mut self) -> String {
        let Some(task) = &self.last else { return String::new() };
        let variables = json!({ "id": task["id"] });
        let (code, _) = self.outcome(READ, &variables);
        code
    }

    fn send(&mut self, field: &str, query: &str, title: &str, variables: &Value) -> String {
        self.ledger.sent(title);
        let (code, data) = self.outcome(query, variables);
        if code.is_empty() {
            let task = &data[field]["task"];
            self.ledger.acknowledged(task);
            self.last = Some(task.clone());
        }
        code
    }

    /// The code and the data of an answer.
    fn outcome(&mut self, query: &str, variables: &Value) -> (String, Value) {
        let mut answer = match self.post(query, variables) {
            Some(reply) => reply.json(),
            None => json!({ "errors": [{ "extensions": { "code": CONNECTION_CLOSED } }] }),
        };
        if answer["errors"].is_null() {
            return (String::new(), answer["data"].take());
        }
        let code = answer["errors"][0]["extensions"]["code"].as_str().expect("every error has a code");
        self.ledger.refused(code);
        (code.to_owned(), Value::Null)
    }

    fn post(&mut self, query: &str, variables: &Value) -> Option<Reply> {
        let began = Instant::now();
        if self.client.is_none() {
            self.client = Client::try_connect(&self.address, ANSWER_LIMIT);
        }
        let reply = self.client.as_mut()?.try_post(&self.token, query, variables);
        assert!(began.elapsed() < ANSWER_LIMIT, "no answer within {ANSWER_LIMIT:?}");
        let is_last = reply.as_ref().is_none_or(|reply| reply.header("connection") == "close");
        if is_last {
            self.client = None;
        }
        reply
    }
}
