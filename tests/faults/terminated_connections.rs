//! PostgreSQL terminates connections of the server.

use std::thread;
use std::time::Duration;

use super::{Account, UNAVAILABLE, rounds};
use crate::support::{Load, PostgresDatabase, ServerEnv};

const OTHER_CONNECTIONS: &str =
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[test]
fn terminated_idle_connections_make_no_request_fail() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let mut session = database.session();
    for round in 0..5 * rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(10);
        load.stop();
        session.run(&format!("SELECT pg_terminate_backend(pid, 5000) {OTHER_CONNECTIONS}"));
        let mut writer = ann.writer(&server);
        for _ in 0..=round % 3 {
            assert_eq!(writer.write(), "", "a write used a terminated connection");
            assert_eq!(writer.read(), "", "a read used a terminated connection");
        }
    }
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(&[]);
}

#[test]
fn no_write_is_lost_or_repeated_when_busy_connections_are_terminated() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let mut session = database.session();
    let load = Load::start(&server, &ann.token, &ann.ledger);
    for _ in 0..100 * rounds(1) {
        session
            .run(&format!("SELECT pg_terminate_backend(pid) {OTHER_CONNECTIONS} ORDER BY random() LIMIT 1"));
        thread::sleep(Duration::from_millis(20));
    }
    load.stop();
    ann.assert_works_again(&server);
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE);
}
