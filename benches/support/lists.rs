//! What the benchmarks of task lists share: a user, a document, and the memory of a server.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Client, Server};

/// A signed-in user on one connection.
pub struct User {
    pub client: Client,
    pub token: String,
}

impl User {
    /// The data of a response without errors.
    pub fn ask(&mut self, query: &str, variables: &Value) -> Value {
        let response = self.client.post(&self.token, query, variables).json();
        assert!(response.get("errors").is_none(), "{response:#}");
        response["data"].clone()
    }
}

/// Runs work and returns its duration.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let result = work();
    (began.elapsed(), result)
}

/// A list of this number of tasks, in phases of 50.
pub fn list_of(count: usize) -> String {
    let mut document = String::from("# Tasks: Harbour map\n");
    for number in 1..=count {
        if number % 50 == 1 {
            let phase = number / 50 + 1;
            document += &format!("\n## Phase {phase}: User Story {phase} - Ships (Priority: P1)\n\n");
        }
        let story = number / 50 + 1;
        document += &format!(
            "- [ ] T{number:04} [P] [US{story}] Draw the ships of the day in src/ships/{number}.rs\n"
        );
    }
    document
}

/// The resident memory of a server, in MiB.
pub fn memory(server: &Server) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the server runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel tells the memory");
    let kib: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib / 1024.0
}
