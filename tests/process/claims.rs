//! Workers on two instances work off a list, while one of the instances is killed.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::support::{Client, PostgresDatabase, ServerEnv, Value, json, wait_within};

const WORKERS: usize = 16;
/// One worker in this number ends as soon as an instance does not respond.
const IMPATIENT: usize = 4;
const TTL_SECONDS: u64 = 3;
const TIME_LIMIT: Duration = Duration::from_secs(10);
const LIST: &str = include_str!("../../crates/task-documents/tests/data/list.md");
const CLAIM: &str = "mutation($input: ClaimNextTaskInput!) { claimNextTask(input: $input) {
    claim { task { key } } reason } }";
const COMPLETE: &str = "mutation($id: ID!) { completeClaim(id: $id) { task { key status } } }";
const PROGRESS: &str = "query($id: ID!) { taskList(id: $id) { progress { done total } claims { id } } }";

/// A worker that sends its requests to one instance, and to the other one when that does not respond.
struct Worker<'a> {
    addresses: &'a [String],
    token: &'a str,
    list: &'a Value,
    number: usize,
}

impl Worker<'_> {
    /// The response of the first instance that gives one. None when this worker ends.
    fn post(&self, query: &str, variables: &Value) -> Option<Value> {
        for attempt in 0..500 {
            let address = &self.addresses[(self.number + attempt) % self.addresses.len()];
            let response = Client::try_connect(address, TIME_LIMIT);
            match response.and_then(|mut client| client.try_post(self.token, query, variables)) {
                Some(response) if response.status == 200 => return Some(response.json()),
                _ if self.number % IMPATIENT == 3 => return None,
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
        panic!("no instance responds")
    }

    /// Works until nothing is left, or until this worker ends.
    fn work(&self, completed: &Mutex<Vec<String>>) {
        for claim in 0.. {
            let id = format!("01930000-0000-7000-8000-{:06x}{claim:06x}", self.number);
            let worker = format!("worker {}", self.number);
            let input = json!({ "listId": self.list, "worker": worker, "id": id, "ttlSeconds": TTL_SECONDS });
            let Some(body) = self.post(CLAIM, &json!({ "input": input })) else { return };
            let payload = &body["data"]["claimNextTask"];
            if payload["reason"] == "DONE" {
                return;
            }
            if payload["claim"].is_null() {
                assert!(payload["reason"].is_string(), "{body}");
                thread::sleep(Duration::from_millis(30));
                continue;
            }
            let key = payload["claim"]["task"]["key"].as_str().expect("a key").to_owned();
            let Some(body) = self.post(COMPLETE, &json!({ "id": id })) else { return };
            if body.get("errors").is_none() {
                completed.lock().expect("no holder panics").push(key);
            } else {
                assert_eq!(body["errors"][0]["extensions"]["code"], "CONFLICT", "{body}");
            }
        }
    }
}

#[test]
fn workers_on_two_instances_work_off_a_list_when_one_instance_is_killed() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let servers = [env.start(&[]), env.start(&[])];
    let token = servers[0].register("ann");
    let import =
        "mutation($markdown: String!) { importTaskList(input: { markdown: $markdown }) { taskList { id } } }";
    let imported = servers[0].post(&token, import, &json!({ "markdown": LIST })).json();
    let list = imported["data"]["importTaskList"]["taskList"]["id"].clone();
    let addresses: Vec<String> = servers.iter().map(|server| server.address.clone()).collect();
    let completed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for number in 0..WORKERS {
            let worker = Worker { addresses: &addresses, token: &token, list: &list, number };
            let completed = &completed;
            scope.spawn(move || worker.work(completed));
        }
        let count = || completed.lock().expect("no holder panics").len();
        wait_within(Duration::from_secs(30), "twenty tasks are completed", || count() >= 20);
        servers[1].signal("KILL");
    });
    let completed = completed.into_inner().expect("no holder panics");
    let once: BTreeSet<&String> = completed.iter().collect();
    assert_eq!(once.len(), completed.len(), "a task was completed twice: {completed:?}");
    let shown = servers[0].post(&token, PROGRESS, &json!({ "id": list })).json();
    let expected = json!({ "progress": { "done": 70, "total": 70 }, "claims": [] });
    assert_eq!(shown["data"]["taskList"], expected);
    // The completion of a worker that has ended may have succeeded without its knowledge.
    assert!((57 - WORKERS / IMPATIENT..=57).contains(&completed.len()), "{completed:?}");
}
