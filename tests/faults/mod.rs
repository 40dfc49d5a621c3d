//! Faults of the database and of what lies between: nothing acknowledged is lost, nothing happens twice, and
//! the server works again by itself. Long runs: "Fault tests" in docs/operating.md.

#[cfg(target_os = "linux")]
mod disk;
mod failover;
mod kill;
mod locks;
mod network;
mod silent_server;
mod sqlite_file;
mod sqlstates;
mod terminated;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{Ledger, Place, Reply, Server, Value, Writer, wait_until};

const UNAVAILABLE: &[&str] = &["SERVICE_UNAVAILABLE"];
const UNAVAILABLE_OR_TIMEOUT: &[&str] = &["SERVICE_UNAVAILABLE", "TIMEOUT"];

/// How often a test repeats its fault: `TASKHOLD_FAULT_ROUNDS`, or as often as a quick run has time for.
fn rounds(quick: usize) -> usize {
    let rounds = std::env::var("TASKHOLD_FAULT_ROUNDS").ok();
    rounds.map_or(quick, |rounds| rounds.parse().expect("TASKHOLD_FAULT_ROUNDS is a number"))
}

/// The code of the first error in an answer; empty when there is none.
fn code(reply: &Reply) -> String {
    reply.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Somebody who writes, and what was acknowledged to them.
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

    /// Creates a task, and gives its id.
    fn creates_task(&self, server: &Server) -> Value {
        let mut writer = self.writer(server);
        assert_eq!(writer.write(), "");
        writer.last_task().expect("it was created")["id"].clone()
    }

    /// The first write succeeds within a second, and from then on all do.
    fn works_again(&self, server: &Server) {
        let mut writer = self.writer(server);
        let began = Instant::now();
        wait_until("a write succeeds", || writer.write().is_empty());
        let time = began.elapsed();
        println!("first success after {time:?}");
        assert!(time < Duration::from_secs(1), "the first success came after {time:?}");
        self.keeps_working(server);
    }

    fn keeps_working(&self, server: &Server) {
        let mut writer = self.writer(server);
        for _ in 0..30 {
            assert_eq!(writer.write(), "", "a write fails after the fault");
            assert_eq!(writer.read(), "", "a read fails after the fault");
        }
        assert_eq!(server.get("/readyz").status, 200);
    }

    /// Kills the server, and compares what another one finds in the database with what was acknowledged.
    fn finds_everything_after_a_kill(&self, place: &Place, server: Server) {
        server.signal("KILL");
        drop(server);
        let server = place.start(&[]);
        self.keeps_working(&server);
        self.ledger.check(&server, &self.token);
    }
}
