//! Failover from a PostgreSQL primary to its synchronous standby.

use super::{Account, UNAVAILABLE, UNAVAILABLE_OR_TIMEOUT, rounds};
use crate::support::postgres::{self, Server as Postgres};
use crate::support::{FaultProxy, Load, Server, ServerEnv, SqlSession, wait_until};

fn session(postgres: &Postgres) -> SqlSession {
    SqlSession::open(&postgres.url).expect("PostgreSQL accepts connections")
}

fn alter_system(postgres: &Postgres, setting: &str) {
    let mut session = session(postgres);
    session.run(&format!("ALTER SYSTEM SET {setting}"));
    session.run("SELECT pg_reload_conf()");
}

/// Starts a synchronous standby: the primary acknowledges a commit only after the standby has it.
fn synchronous_standby(primary: &Postgres) -> Postgres {
    let standby = postgres::standby_of(primary);
    alter_system(primary, "synchronous_standby_names = '*'");
    let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    wait_until("the standby is synchronous", || session(primary).number(synchronous) == 1);
    standby
}

/// Promotes a standby to primary. It accepts writes when this function returns.
fn promote(standby: &Postgres) {
    session(standby).run("SELECT pg_promote()");
}

/// Asserts that /readyz and the check command fail while writes are impossible.
fn assert_reports_read_only(server: &Server, env: &ServerEnv) {
    wait_until("/readyz is 503", || server.get("/readyz").status == 503);
    assert_eq!(server.get("/healthz").status, 200);
    let check = env.run(&["check"]);
    assert!(!check.success, "{}", check.stdout);
}

fn no_acknowledged_write_is_lost_in_a_failover(fault: impl Fn(&mut Postgres), allowed: &[&str]) {
    let Some(mut primary) = postgres::dedicated_server() else { return };
    let proxy = FaultProxy::start(&primary.url);
    let env = ServerEnv::on_url(&proxy.url(&primary.url));
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let standby = synchronous_standby(&primary);
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        fault(&mut primary);
        proxy.redirect_to(&standby.url);
        load.wait_for_errors(4);
        assert_reports_read_only(&server, &env);
        promote(&standby);
        ann.assert_works_again(&server);
        load.stop();
        primary = standby;
    }
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(allowed);
}

#[test]
fn no_acknowledged_write_is_lost_when_a_standby_replaces_a_killed_primary() {
    no_acknowledged_write_is_lost_in_a_failover(|primary| primary.kill(true), UNAVAILABLE);
}

#[test]
fn no_acknowledged_write_is_lost_when_a_standby_replaces_an_unresponsive_primary() {
    no_acknowledged_write_is_lost_in_a_failover(Postgres::pause, UNAVAILABLE_OR_TIMEOUT);
}

#[test]
fn connections_to_a_primary_that_became_read_only_are_closed() {
    let Some(primary) = postgres::dedicated_server() else { return };
    let proxy = FaultProxy::start(&primary.url);
    let env = ServerEnv::on_url(&proxy.url(&primary.url));
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let standby = synchronous_standby(&primary);
    let load = Load::start(&server, &ann.token, &ann.ledger);
    load.wait_for_successes(20);
    alter_system(&primary, "default_transaction_read_only = on");
    load.wait_for_errors(4);
    assert_reports_read_only(&server, &env);
    // Open connections stay connected to the old primary; only new ones reach the new primary.
    promote(&standby);
    proxy.redirect_to(&standby.url);
    ann.assert_works_again(&server);
    load.stop();
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE);
}

#[test]
fn the_server_recovers_when_a_read_only_primary_accepts_writes_again() {
    let Some(primary) = postgres::dedicated_server() else { return };
    let env = ServerEnv::on_url(&primary.url);
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        alter_system(&primary, "default_transaction_read_only = on");
        load.wait_for_errors(4);
        assert_reports_read_only(&server, &env);
        alter_system(&primary, "default_transaction_read_only = off");
        ann.assert_works_again(&server);
        load.stop();
    }
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE);
}
