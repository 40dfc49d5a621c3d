//! Faults of the database, the network and the server process: no acknowledged write is lost or executed
//! twice, and the server recovers without a restart. Long runs: "Fault tests" in docs/operating.md.

#[cfg(target_os = "linux")]
mod failing_writes;
mod failover;
mod locked_rows;
mod network;
mod postgres_errors;
mod server_kill;
mod sqlite_file;
mod suspended_postgres;
mod terminated_connections;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{HttpResponse, Ledger, Server, ServerEnv, Value, Writer, wait_until};

const UNAVAILABLE: &[&str] = &["SERVICE_UNAVAILABLE"];
const UNAVAILABLE_OR_TIMEOUT: &[&str] = &["SERVICE_UNAVAILABLE", "TIMEOUT"];

/// How often a test repeats its fault: `TASKHOLD_FAULT_ROUNDS`, or the given number for a quick run.
fn rounds(quick: usize) -> usize {
    let rounds = std::env::var("TASKHOLD_FAULT_ROUNDS").ok();
    rounds.map_or(quick, |rounds| rounds.parse().expect("TASKHOLD_FAULT_ROUNDS is a number"))
}

/// The code of the first error in a response; empty if there is none.
fn code(response: &HttpResponse) -> String {
    response.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

/// A user who writes, and the record of the acknowledged writes.
struct Account {
    token: String,
    ledger: Arc<Ledger>,
}

impl Account {
    fn register(server: &Server, name: &str) -> Self {
        Self { token: server.register(name), ledger: Arc::default() }
    }

    fn writer(&self, server: &Server) -> Writer {
        Writer::new(&server.address, &self.token, &self.ledger)
    }

    /// Creates a task and returns its id.
    fn create_task(&self, server: &Server) -> Value {
        let mut writer = self.writer(server);
        assert_eq!(writer.write(), "");
        writer.last_task().expect("it was created")["id"].clone()
    }

    /// Asserts that a write succeeds within a second, and then all further requests.
    fn assert_works_again(&self, server: &Server) {
        let mut writer = self.writer(server);
        let began = Instant::now();
        wait_until("a write succeeds", || writer.write().is_empty());
        let time = began.elapsed();
        println!("first success after {time:?}");
        assert!(time < Duration::from_secs(1), "the first success came after {time:?}");
        self.assert_keeps_working(server);
    }

    fn assert_keeps_working(&self, server: &Server) {
        let mut writer = self.writer(server);
        for _ in 0..30 {
            assert_eq!(writer.write(), "", "a write fails after the fault");
            assert_eq!(writer.read(), "", "a read fails after the fault");
        }
        assert_eq!(server.get("/readyz").status, 200);
    }

    /// Kills the server, starts another one on the same database, and asserts that it returns all
    /// acknowledged writes.
    fn assert_nothing_lost_after_kill(&self, env: &ServerEnv, server: Server) {
        server.signal("KILL");
        drop(server);
        let server = env.start(&[]);
        self.assert_keeps_working(&server);
        self.ledger.assert_matches_database(&server, &self.token);
    }
}
