//! The network between the server and PostgreSQL: silent, refusing, cut.

use std::thread;
use std::time::{Duration, Instant};

use super::{Account, UNAVAILABLE, UNAVAILABLE_OR_TIMEOUT, rounds};
use crate::support::{FaultProxy, Load, Place, PostgresDatabase, json, wait_within};

const SILENCE_LIMIT: Duration = Duration::from_secs(10);
const UPDATE: &str =
    "mutation($id: ID!) { updateTask(id: $id, input: { status: IN_PROGRESS }) { task { id } } }";

fn place_behind(proxy: &FaultProxy, database: &PostgresDatabase) -> Place {
    Place::on_url(&proxy.url(&database.url))
}

#[test]
fn connections_that_fall_silent_in_a_transaction_leave_neither_places_nor_locks_behind() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let place = place_behind(&proxy, &database).with("DATABASE_MAX_CONNECTIONS", "4");
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let ids: Vec<_> = (0..4).map(|_| ann.creates_task(&server)).collect();
    let mut session = database.session();
    session.run("BEGIN; SELECT * FROM tasks FOR UPDATE");
    thread::scope(|scope| {
        for id in &ids {
            let (server, token) = (&server, &ann.token);
            scope.spawn(move || {
                let began = Instant::now();
                let reply = server.connect_patiently().post(token, UPDATE, &json!({ "id": id }));
                assert!(UNAVAILABLE_OR_TIMEOUT.contains(&super::code(&reply).as_str()), "{}", reply.body);
                assert!(began.elapsed() < Duration::from_secs(16), "{:?}", began.elapsed());
            });
        }
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        wait_within(Duration::from_secs(2), "updates wait for the lock", || {
            database.session().number(waiting) >= 2
        });
        proxy.silence();
        let silent = Instant::now();
        session.run("ROLLBACK");
        let mut writer = ann.writer(&server);
        let all_kinds = || (0..3).all(|_| writer.write().is_empty());
        wait_within(SILENCE_LIMIT, "places are free again", all_kinds);
        println!("places are free after {:?}", silent.elapsed());
    });
    let none_is_left = || database.transactions_left_open() == 0;
    wait_within(SILENCE_LIMIT + Duration::from_secs(2), "PostgreSQL ends silent transactions", none_is_left);
    session.run("SELECT * FROM tasks FOR UPDATE NOWAIT");
    ann.keeps_working(&server);
    ann.ledger.check(&server, &ann.token);
}

fn an_outage_of_the_network_costs_only_its_time(begin: impl Fn(&FaultProxy), allowed: &[&str]) {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let place = place_behind(&proxy, &database).with("DATABASE_MAX_CONNECTIONS", "4");
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        begin(&proxy);
        wait_within(SILENCE_LIMIT, "/readyz is 503", || server.get("/readyz").status == 503);
        assert_eq!(server.get("/healthz").status, 200);
        load.wait_for_refusals(4);
        proxy.pass();
        ann.works_again(&server);
        load.stop();
    }
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(allowed);
}

#[test]
fn a_silent_network_costs_only_the_time_it_is_silent() {
    an_outage_of_the_network_costs_only_its_time(FaultProxy::unplug, UNAVAILABLE_OR_TIMEOUT);
}

#[test]
fn a_refusing_network_costs_only_the_time_it_refuses() {
    an_outage_of_the_network_costs_only_its_time(FaultProxy::refuse, UNAVAILABLE);
}

#[test]
fn a_write_whose_answer_is_cut_off_is_not_done_twice() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let place = place_behind(&proxy, &database);
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let load = Load::start(&server, &ann.token, &ann.ledger);
    for bytes in (0..600).step_by(40).cycle().take(15 * rounds(1)) {
        load.wait_for_successes(4);
        proxy.cut_after_answer_bytes(bytes);
    }
    load.stop();
    proxy.cut();
    ann.keeps_working(&server);
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE);
}

#[test]
fn a_slow_network_makes_requests_slow_and_none_fail() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let place = place_behind(&proxy, &database);
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let load = Load::start(&server, &ann.token, &ann.ledger);
    load.wait_for_successes(20);
    proxy.delay(Duration::from_millis(50));
    load.wait_for_successes(20);
    assert_eq!(server.get("/readyz").status, 200);
    proxy.delay(Duration::ZERO);
    load.wait_for_successes(20);
    load.stop();
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(&[]);
}

#[test]
fn a_network_on_which_connecting_takes_a_second_works_again_after_a_silence() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let server = place_behind(&proxy, &database).start(&[]);
    let ann = Account::register(&server, "ann");
    let mut writer = ann.writer(&server);
    proxy.delay(Duration::from_millis(250));
    assert_eq!(writer.write(), "");
    proxy.unplug();
    wait_within(SILENCE_LIMIT, "/readyz is 503", || server.get("/readyz").status == 503);
    proxy.pass();
    wait_within(SILENCE_LIMIT, "writes succeed", || writer.write().is_empty());
}

#[test]
fn a_start_on_a_silent_network_ends_within_ten_seconds() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    proxy.unplug();
    let run = place_behind(&proxy, &database).run(&[]);
    assert_eq!((run.success, run.stderr.lines().count()), (false, 1), "{}", run.stderr);
    assert!(run.stderr.contains("DATABASE_URL"), "{}", run.stderr);
}
