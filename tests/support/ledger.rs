//! A record of the writes that the server acknowledged, which tests compare with the database afterwards.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::Server;

/// The tasks of one user that the writers created and updated, keyed by title. Each title is used for one
/// createTask only, so two tasks with one title are a write that was executed twice.
#[derive(Default)]
pub struct Ledger {
    tasks: Mutex<HashMap<String, Record>>,
    titles: AtomicUsize,
    /// The number of responses with each error code.
    error_codes: Mutex<BTreeMap<String, usize>>,
}

/// The recorded writes of one task.
#[derive(Default)]
struct Record {
    /// `None` until the createTask was acknowledged.
    id: Option<String>,
    /// The highest version that was acknowledged.
    version: i64,
    /// The number of writes sent, acknowledged or not. Each raises the version by at most one.
    sent_writes: i64,
}

impl Ledger {
    /// Returns a title that no task has yet.
    pub fn new_title(&self) -> String {
        format!("task {}", self.titles.fetch_add(1, Ordering::Relaxed))
    }

    /// Records that a write of a task is about to be sent.
    pub fn record_sent(&self, title: &str) {
        self.tasks.lock().expect("no holder panics").entry(title.to_owned()).or_default().sent_writes += 1;
    }

    /// Records the task in the response to a successful write.
    pub fn record_acknowledged(&self, task: &Value) {
        let title = task["title"].as_str().expect("a task has a title");
        let mut tasks = self.tasks.lock().expect("no holder panics");
        let record = tasks.get_mut(title).expect("a write is recorded before it is sent");
        record.id = Some(task["id"].as_str().expect("a task has an id").to_owned());
        record.version = task["version"].as_i64().expect("a task has a version");
    }

    /// Records the error code in the response to a request that failed.
    pub fn record_error(&self, code: &str) {
        *self.error_codes.lock().expect("no holder panics").entry(code.to_owned()).or_default() += 1;
    }

    /// Asserts that all recorded error codes are among those that the fault of the test allows.
    pub fn assert_error_codes_in(&self, allowed: &[&str]) {
        let codes = self.error_codes.lock().expect("no holder panics");
        println!("error codes: {codes:?}");
        assert!(
            codes.keys().all(|code| allowed.contains(&code.as_str())),
            "{codes:?}; allowed are {allowed:?}"
        );
    }

    /// Asserts that the user's tasks in the database contain every acknowledged write exactly once.
    pub fn assert_matches_database(&self, server: &Server, token: &str) {
        let records = self.tasks.lock().expect("no holder panics");
        let mut stored = HashMap::new();
        for task in all_tasks(server, token) {
            let title = task["title"].as_str().expect("a task has a title").to_owned();
            let earlier = stored.insert(title, task);
            assert!(earlier.is_none(), "two tasks have the same title: {}", earlier.unwrap_or_default());
        }
        let acknowledged = || records.iter().filter(|(_, record)| record.id.is_some());
        let lost: Vec<_> =
            acknowledged().map(|(title, _)| title).filter(|title| !stored.contains_key(*title)).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged tasks are lost", lost.len(), acknowledged().count());
        for (title, task) in &stored {
            let record = records.get(title).expect("only the writers create tasks");
            let version = task["version"].as_i64().expect("a task has a version");
            assert!(
                record.version <= version && version <= record.sent_writes,
                "{title}: version {version} after {} writes, of which version {} was acknowledged",
                record.sent_writes,
                record.version
            );
            assert!(record.id.as_deref().is_none_or(|id| task["id"] == id), "{title}: the id differs");
        }
        println!("{} tasks acknowledged, {} stored", acknowledged().count(), stored.len());
    }
}

/// Reads all tasks of a user, page by page.
fn all_tasks(server: &Server, token: &str) -> Vec<Value> {
    let query = "query($after: String) { tasks(first: 100, after: $after) {
        nodes { id title version } pageInfo { hasNextPage endCursor } } }";
    let (mut client, mut tasks, mut after) = (server.connect(), Vec::new(), Value::Null);
    loop {
        let page = client.post(token, query, &json!({ "after": after })).json()["data"]["tasks"].take();
        tasks.extend(page["nodes"].as_array().expect("a page of tasks").iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return tasks;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}
