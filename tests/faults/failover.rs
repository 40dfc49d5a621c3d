//! A primary gives way to its synchronous standby.

use super::{Account, UNAVAILABLE, UNAVAILABLE_OR_TIMEOUT, rounds};
use crate::support::postgres::{self, Server as Postgres};
use crate::support::{FaultProxy, Load, Place, Server, SqlSession, wait_until};

fn session(postgres: &Postgres) -> SqlSession {
    SqlSession::open(&postgres.url).expect("PostgreSQL accepts connections")
}

fn set_everywhere(postgres: &Postgres, setting: &str) {
    let mut session = session(postgres);
    session.run(&format!("ALTER SYSTEM SET {setting}"));
    session.run("SELECT pg_reload_conf()");
}

/// A standby without which the primary acknowledges nothing.
fn synchronous_standby(primary: &Postgres) -> Postgres {
    let standby = postgres::standby_of(primary);
    set_everywhere(primary, "synchronous_standby_names = '*'");
    let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    wait_until("the standby is synchronous", || session(primary).number(synchronous) == 1);
    standby
}

/// Makes a primary of a standby. It accepts writes when this returns.
fn promote(standby: &Postgres) {
    session(standby).run("SELECT pg_promote()");
}

/// While no write is possible the server says so.
fn is_read_only(server: &Server, place: &Place) {
    wait_until("/readyz is 503", || server.get("/readyz").status == 503);
    assert_eq!(server.get("/healthz").status, 200);
    let check = place.run(&["check"]);
    assert!(!check.success, "{}", check.stdout);
}

fn a_standby_that_takes_over_has_everything(end: impl Fn(&mut Postgres), allowed: &[&str]) {
    let Some(mut primary) = postgres::own_server() else { return };
    let proxy = FaultProxy::start(&primary.url);
    let place = Place::on_url(&proxy.url(&primary.url));
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let standby = synchronous_standby(&primary);
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        end(&mut primary);
        proxy.lead_to(&standby.url);
        load.wait_for_refusals(4);
        is_read_only(&server, &place);
        promote(&standby);
        ann.works_again(&server);
        load.stop();
        primary = standby;
    }
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(allowed);
}

#[test]
fn a_standby_that_takes_over_from_a_dead_primary_has_everything() {
    a_standby_that_takes_over_has_everything(|primary| primary.crash(true), UNAVAILABLE);
}

#[test]
fn a_standby_that_takes_over_from_a_silent_primary_has_everything() {
    a_standby_that_takes_over_has_everything(Postgres::pause, UNAVAILABLE_OR_TIMEOUT);
}

#[test]
fn connections_to_a_primary_that_became_read_only_are_given_up() {
    let Some(primary) = postgres::own_server() else { return };
    let proxy = FaultProxy::start(&primary.url);
    let place = Place::on_url(&proxy.url(&primary.url));
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let standby = synchronous_standby(&primary);
    let load = Load::start(&server, &ann.token, &ann.ledger);
    load.wait_for_successes(20);
    set_everywhere(&primary, "default_transaction_read_only = on");
    load.wait_for_refusals(4);
    is_read_only(&server, &place);
    // The connections that are open stay with the old primary, and only new ones lead to the new one.
    promote(&standby);
    proxy.lead_to(&standby.url);
    ann.works_again(&server);
    load.stop();
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE);
}

#[test]
fn a_primary_that_is_read_only_for_a_while_works_again_by_itself() {
    let Some(primary) = postgres::own_server() else { return };
    let place = Place::on_url(&primary.url);
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        set_everywhere(&primary, "default_transaction_read_only = on");
        load.wait_for_refusals(4);
        is_read_only(&server, &place);
        set_everywhere(&primary, "default_transaction_read_only = off");
        ann.works_again(&server);
        load.stop();
    }
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE);
}
