//! Network faults between the server and PostgreSQL: dropped packets, refused, closed and slow connections.

use std::thread;
use std::time::{Duration, Instant};

use super::{Account, UNAVAILABLE, UNAVAILABLE_OR_TIMEOUT, rounds};
use crate::support::{
    Client, FaultProxy, Load, PostgresDatabase, ServerEnv, Value, json, wait_until, wait_within,
};

const RECOVERY_LIMIT: Duration = Duration::from_secs(10);
/// A change in a transaction, unlike those of a single task.
const UPDATE: &str =
    "mutation($id: ID!) { updateTasks(ids: [$id], input: { status: IN_PROGRESS }) { tasks { id } } }";
const TOGGLE: &str = "mutation($id: ID!) { toggleTask(id: $id) { task { completed version } } }";
const READ: &str = "query($id: ID!) { task(id: $id) { completed version } }";

fn env_behind_proxy(proxy: &FaultProxy, database: &PostgresDatabase) -> ServerEnv {
    ServerEnv::on_url(&proxy.url(&database.url))
}

#[test]
fn dropped_packets_during_transactions_leave_no_used_connections_or_locks() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let env = env_behind_proxy(&proxy, &database).with("DATABASE_MAX_CONNECTIONS", "4");
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let ids: Vec<_> = (0..4).map(|_| ann.create_task(&server)).collect();
    let mut session = database.session();
    session.run("BEGIN; SELECT * FROM tasks FOR UPDATE");
    thread::scope(|scope| {
        for id in &ids {
            let (server, token) = (&server, &ann.token);
            scope.spawn(move || {
                let began = Instant::now();
                let response = server.connect_with_long_timeout().post(token, UPDATE, &json!({ "id": id }));
                assert!(
                    UNAVAILABLE_OR_TIMEOUT.contains(&super::code(&response).as_str()),
                    "{}",
                    response.body
                );
                assert!(began.elapsed() < Duration::from_secs(16), "{:?}", began.elapsed());
            });
        }
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        wait_within(Duration::from_secs(2), "updates wait for the lock", || {
            database.session().number(waiting) >= 2
        });
        proxy.drop_packets_on_open_connections();
        let started = Instant::now();
        session.run("ROLLBACK");
        let mut writer = ann.writer(&server);
        let all_kinds = || (0..3).all(|_| writer.write().is_empty());
        wait_within(RECOVERY_LIMIT, "database connections are available again", all_kinds);
        println!("database connections are available after {:?}", started.elapsed());
    });
    let no_open_transaction = || database.idle_transactions() == 0;
    wait_within(
        RECOVERY_LIMIT + Duration::from_secs(2),
        "PostgreSQL ends abandoned transactions",
        no_open_transaction,
    );
    session.run("SELECT * FROM tasks FOR UPDATE NOWAIT");
    ann.assert_keeps_working(&server);
    ann.ledger.assert_matches_database(&server, &ann.token);
}

/// Creates a task whose row is short, so that few bytes of a response contain it. Returns its id.
fn create_short_task(client: &mut Client, account: &Account) -> Value {
    let create = r#"mutation { createTask(input: { title: "short" }) { task { id } } }"#;
    let created = client.post(&account.token, create, &json!({})).json();
    created["data"]["createTask"]["task"]["id"].clone()
}

fn requests_fail_only_during_a_network_fault(begin: impl Fn(&FaultProxy), allowed: &[&str]) {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let env = env_behind_proxy(&proxy, &database).with("DATABASE_MAX_CONNECTIONS", "4");
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        begin(&proxy);
        wait_within(RECOVERY_LIMIT, "/readyz is 503", || server.get("/readyz").status == 503);
        assert_eq!(server.get("/healthz").status, 200);
        load.wait_for_errors(4);
        proxy.restore();
        ann.assert_works_again(&server);
        load.stop();
    }
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(allowed);
}

#[test]
fn requests_fail_only_while_the_network_drops_packets() {
    requests_fail_only_during_a_network_fault(FaultProxy::drop_all_packets, UNAVAILABLE_OR_TIMEOUT);
}

#[test]
fn requests_fail_only_while_the_network_refuses_connections() {
    requests_fail_only_during_a_network_fault(FaultProxy::refuse, UNAVAILABLE);
}

#[test]
fn a_write_whose_response_is_lost_is_not_executed_twice() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let env = env_behind_proxy(&proxy, &database);
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let load = Load::start(&server, &ann.token, &ann.ledger);
    for bytes in (0..600).step_by(40).cycle().take(15 * rounds(1)) {
        load.wait_for_successes(4);
        proxy.cut_after_response_bytes(bytes);
    }
    load.stop();
    proxy.cut();
    ann.assert_keeps_working(&server);
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE);
}

#[test]
fn a_toggle_whose_database_connection_is_lost_is_made_exactly_once() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let env = env_behind_proxy(&proxy, &database).with("DATABASE_MAX_CONNECTIONS", "1");
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let mut client = server.connect_with_long_timeout();
    let id = create_short_task(&mut client, &ann);
    let (mut version, mut completed, mut unacknowledged) = (1, false, 0);
    // The connection is cut at every part of the responses to the statements that read and write the task.
    for bytes in (0..900).step_by(11) {
        proxy.cut_after_response_bytes(bytes);
        let response = client.post(&ann.token, TOGGLE, &json!({ "id": id }));
        (version, completed) = (version + 1, !completed);
        let expected = json!({ "completed": completed, "version": version });
        if UNAVAILABLE.contains(&super::code(&response).as_str()) {
            unacknowledged += 1;
        } else {
            let toggled = &response.json()["data"]["toggleTask"]["task"];
            assert_eq!(*toggled, expected, "after {bytes} bytes: {}", response.body);
        }
        let read = client.post(&ann.token, READ, &json!({ "id": id })).json();
        assert_eq!(read["data"]["task"], expected, "after {bytes} bytes: {}", response.body);
    }
    assert!(unacknowledged > 0, "no connection was lost after the statement");
}

#[test]
fn a_change_whose_connection_is_lost_is_not_repeated_after_another_change() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let env = env_behind_proxy(&proxy, &database).with("DATABASE_MAX_CONNECTIONS", "1");
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let mut unknown = 0;
    for bytes in (130..270).step_by(10) {
        let mut client = server.connect_with_long_timeout();
        let id = create_short_task(&mut client, &ann);
        let task = format!("tasks WHERE id = '{}'", id.as_str().expect("it was created"));
        proxy.delay(Duration::from_millis(50));
        proxy.cut_after_response_bytes(bytes);
        let response = thread::scope(|scope| {
            let toggle = scope.spawn(|| client.post(&ann.token, TOGGLE, &json!({ "id": id })));
            // The other change follows the statement of the toggle, and precedes what the server does when it
            // has found the connection lost.
            let mut session = database.session();
            wait_until("the toggle is made or has failed", || {
                session.number(&format!("SELECT version::bigint FROM {task}")) > 1 || toggle.is_finished()
            });
            session.run(&format!("UPDATE {}", task.replace(" WHERE", " SET version = version + 1 WHERE")));
            toggle.join().expect("there is a response")
        });
        proxy.delay(Duration::ZERO);
        let version = database.session().number(&format!("SELECT version::bigint FROM {task}"));
        assert_eq!(version, 3, "one toggle and one other change, after {bytes} bytes: {}", response.body);
        unknown += usize::from(UNAVAILABLE.contains(&super::code(&response).as_str()));
    }
    assert!(unknown > 0, "no connection was lost after the statement");
}

#[test]
fn toggles_of_two_clients_are_made_at_most_once_while_connections_are_lost() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let env = env_behind_proxy(&proxy, &database).with("DATABASE_MAX_CONNECTIONS", "2");
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let mut client = server.connect_with_long_timeout();
    let id = create_short_task(&mut client, &ann);
    let toggles = || {
        let mut client = server.connect_with_long_timeout();
        let versions = (0..200).map(|_| {
            let response = client.post(&ann.token, TOGGLE, &json!({ "id": id }));
            let version = response.json()["data"]["toggleTask"]["task"]["version"].as_u64();
            let is_allowed = version.is_some() || UNAVAILABLE.contains(&super::code(&response).as_str());
            assert!(is_allowed, "{}", response.body);
            version
        });
        versions.collect::<Vec<_>>()
    };
    let versions = thread::scope(|scope| {
        let clients = [scope.spawn(toggles), scope.spawn(toggles)];
        for bytes in (100..900).step_by(11).cycle() {
            if clients.iter().all(thread::ScopedJoinHandle::is_finished) {
                break;
            }
            proxy.cut_after_response_bytes(bytes);
            thread::sleep(Duration::from_millis(5));
        }
        clients.map(|client| client.join().expect("every response is allowed")).concat()
    });
    let mut acknowledged: Vec<u64> = versions.iter().copied().flatten().collect();
    let (sent, made) = (versions.len(), acknowledged.len());
    acknowledged.sort_unstable();
    acknowledged.dedup();
    assert_eq!(acknowledged.len(), made, "each acknowledged toggle has a version of its own");
    let task = client.post(&ann.token, READ, &json!({ "id": id })).json();
    let last = task["data"]["task"]["version"].as_u64().expect("the task can be read") as usize;
    assert!((made..=sent).contains(&(last - 1)), "{sent} sent, {made} acknowledged, {} made", last - 1);
}

#[test]
fn on_a_slow_network_no_request_fails() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let env = env_behind_proxy(&proxy, &database);
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let load = Load::start(&server, &ann.token, &ann.ledger);
    load.wait_for_successes(20);
    proxy.delay(Duration::from_millis(50));
    load.wait_for_successes(20);
    assert_eq!(server.get("/readyz").status, 200);
    proxy.delay(Duration::ZERO);
    load.wait_for_successes(20);
    load.stop();
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(&[]);
}

#[test]
fn the_server_recovers_from_dropped_packets_when_connecting_takes_a_second() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    let server = env_behind_proxy(&proxy, &database).start(&[]);
    let ann = Account::register(&server, "ann");
    let mut writer = ann.writer(&server);
    proxy.delay(Duration::from_millis(250));
    assert_eq!(writer.write(), "");
    proxy.drop_all_packets();
    wait_within(RECOVERY_LIMIT, "/readyz is 503", || server.get("/readyz").status == 503);
    proxy.restore();
    wait_within(RECOVERY_LIMIT, "writes succeed", || writer.write().is_empty());
}

#[test]
fn a_start_on_a_network_that_drops_packets_ends_within_ten_seconds() {
    let Some(database) = PostgresDatabase::new() else { return };
    let proxy = FaultProxy::start(&database.url);
    proxy.drop_all_packets();
    let run = env_behind_proxy(&proxy, &database).run(&[]);
    assert_eq!((run.success, run.stderr.lines().count()), (false, 1), "{}", run.stderr);
    assert!(run.stderr.contains("DATABASE_URL"), "{}", run.stderr);
}
