//! The server itself is killed while it writes.

use std::thread;
use std::time::Duration;

use super::{Account, UNAVAILABLE, rounds};
use crate::support::{CONNECTION_CLOSED, Load, Place, PostgresDatabase};

/// How long the writers work before a kill: `TASKHOLD_FAULT_SECONDS`, or as long as a quick run has time for.
fn time_to_work() -> Duration {
    let seconds = std::env::var("TASKHOLD_FAULT_SECONDS").ok();
    let seconds = seconds.map(|seconds| seconds.parse().expect("TASKHOLD_FAULT_SECONDS is a number"));
    seconds.map_or(Duration::from_millis(500), Duration::from_secs)
}

fn a_kill_loses_nothing_that_was_acknowledged(place: &Place) {
    let mut server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(4) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        thread::sleep(time_to_work());
        server.signal("KILL");
        load.stop();
        server = place.start(&[]);
    }
    ann.finds_everything_after_a_kill(place, server);
    ann.ledger.check_refusals(&[UNAVAILABLE, &[CONNECTION_CLOSED]].concat());
}

#[test]
fn a_kill_on_sqlite_loses_nothing_that_was_acknowledged() {
    a_kill_loses_nothing_that_was_acknowledged(&Place::new());
}

#[test]
fn a_kill_on_postgres_loses_nothing_that_was_acknowledged() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_kill_loses_nothing_that_was_acknowledged(&Place::on(&database));
}
