//! What the server has acknowledged to the writers of a test, for the comparison with the database.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::Server;

/// The tasks of one user that the writers have created and updated, by their titles. Each title is used for
/// one createTask only, so a title that is there twice shows a write that was done twice.
#[derive(Default)]
pub struct Ledger {
    tasks: Mutex<HashMap<String, Record>>,
    titles: AtomicUsize,
    /// How often each code was the answer.
    refusals: Mutex<BTreeMap<String, usize>>,
}

/// What is known of one task.
#[derive(Default)]
struct Record {
    /// Known once the createTask was acknowledged.
    id: Option<String>,
    /// The highest version that was acknowledged.
    version: i64,
    /// How many writes were sent, acknowledged or not. Each raises the version by one at most.
    sent: i64,
}

impl Ledger {
    /// A title that no task has yet.
    pub fn new_title(&self) -> String {
        format!("task {}", self.titles.fetch_add(1, Ordering::Relaxed))
    }

    /// Records that a write of a task is about to be sent.
    pub fn sent(&self, title: &str) {
        self.tasks.lock().expect("no holder panics").entry(title.to_owned()).or_default().sent += 1;
    }

    /// Records the task in the answer to a successful write.
    pub fn acknowledged(&self, task: &Value) {
        let title = task["title"].as_str().expect("a task has a title");
        let mut tasks = self.tasks.lock().expect("no holder panics");
        let record = tasks.get_mut(title).expect("a write is recorded before it is sent");
        record.id = Some(task["id"].as_str().expect("a task has an id").to_owned());
        record.version = task["version"].as_i64().expect("a task has a version");
    }

    /// Records the code in the answer to a request that was refused.
    pub fn refused(&self, code: &str) {
        *self.refusals.lock().expect("no holder panics").entry(code.to_owned()).or_default() += 1;
    }

    /// Compares the codes of the refusals with those that the fault of the test allows.
    pub fn check_refusals(&self, allowed: &[&str]) {
        let refusals = self.refusals.lock().expect("no holder panics");
        println!("refused: {refusals:?}");
        assert!(
            refusals.keys().all(|code| allowed.contains(&code.as_str())),
            "{refusals:?}, not {allowed:?}"
        );
    }

    /// Compares with the user's tasks in the database: every acknowledged write is there, exactly once.
    pub fn check(&self, server: &Server, token: &str) {
        let records = self.tasks.lock().expect("no holder panics");
        let mut stored = HashMap::new();
        for task in all_tasks(server, token) {
            let title = task["title"].as_str().expect("a task has a title").to_owned();
            let earlier = stored.insert(title, task);
            assert!(earlier.is_none(), "created twice: {}", earlier.unwrap_or_default());
        }
        let acknowledged = || records.iter().filter(|(_, record)| record.id.is_some());
        let lost: Vec<_> =
            acknowledged().map(|(title, _)| title).filter(|title| !stored.contains_key(*title)).collect();
        assert!(lost.is_empty(), "{} of {} acknowledged tasks are lost", lost.len(), acknowledged().count());
        for (title, task) in &stored {
            let record = records.get(title).expect("only the writers create tasks");
            let version = task["version"].as_i64().expect("a task has a version");
            assert!(
                record.version <= version && version <= record.sent,
                "{title}: version {version} after {} writes, of which version {} was acknowledged",
                record.sent,
                record.version
            );
            assert!(record.id.as_deref().is_none_or(|id| task["id"] == id), "{title}: another id");
        }
        println!("{} tasks acknowledged, {} stored", acknowledged().count(), stored.len());
    }
}

/// All tasks of a user, page by page.
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
