//! PostgreSQL ends connections of the server.

use std::thread;
use std::time::Duration;

use super::{Account, UNAVAILABLE, rounds};
use crate::support::{Load, Place, PostgresDatabase};

const OURS: &str = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[test]
fn idle_connections_that_were_ended_make_no_request_fail() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database);
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let mut session = database.session();
    for round in 0..5 * rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(10);
        load.stop();
        session.run(&format!("SELECT pg_terminate_backend(pid, 5000) {OURS}"));
        let mut writer = ann.writer(&server);
        for _ in 0..=round % 3 {
            assert_eq!(writer.write(), "", "a write has met a dead connection");
            assert_eq!(writer.read(), "", "a read has met a dead connection");
        }
    }
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(&[]);
}

#[test]
fn connections_that_are_ended_at_work_lose_nothing_and_repeat_nothing() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database);
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let mut session = database.session();
    let load = Load::start(&server, &ann.token, &ann.ledger);
    for _ in 0..100 * rounds(1) {
        session.run(&format!("SELECT pg_terminate_backend(pid) {OURS} ORDER BY random() LIMIT 1"));
        thread::sleep(Duration::from_millis(20));
    }
    load.stop();
    ann.works_again(&server);
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE);
}
