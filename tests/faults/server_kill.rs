//! The server process is killed while it writes.

use std::thread;
use std::time::Duration;

use super::{Account, UNAVAILABLE, rounds};
use crate::support::{CONNECTION_CLOSED, Load, PostgresDatabase, ServerEnv};

/// How long the writers run before a kill: `TASKHOLD_FAULT_SECONDS`, or half a second for a quick run.
fn work_duration() -> Duration {
    let seconds = std::env::var("TASKHOLD_FAULT_SECONDS").ok();
    let seconds = seconds.map(|seconds| seconds.parse().expect("TASKHOLD_FAULT_SECONDS is a number"));
    seconds.map_or(Duration::from_millis(500), Duration::from_secs)
}

fn a_kill_loses_nothing_that_was_acknowledged(env: &ServerEnv) {
    let mut server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(4) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        thread::sleep(work_duration());
        server.signal("KILL");
        load.stop();
        server = env.start(&[]);
    }
    ann.assert_nothing_lost_after_kill(env, server);
    ann.ledger.assert_error_codes_in(&[UNAVAILABLE, &[CONNECTION_CLOSED]].concat());
}

#[test]
fn a_kill_on_sqlite_loses_nothing_that_was_acknowledged() {
    a_kill_loses_nothing_that_was_acknowledged(&ServerEnv::new());
}

#[test]
fn a_kill_on_postgres_loses_nothing_that_was_acknowledged() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_kill_loses_nothing_that_was_acknowledged(&ServerEnv::on(&database));
}
