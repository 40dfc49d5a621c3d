//! Changes of all kinds at the same time: no statement waits for one that waits for it, and the counters count
//! each change once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::changes::sql::Sql;
use crate::process::changes::writers::{User, Writer};
use crate::process::{CREATE, code};
use crate::support::{PASSWORD, PostgresDatabase, Server, ServerEnv, json, wait_until};

const WRITERS: usize = 6;
/// The clients that only create tasks, so that one statement creates tasks of several users.
const CREATORS: usize = 16;
/// The accounts that are deleted while other clients create tasks in them.
const DELETED_ACCOUNTS: usize = 5;
/// The clients that create tasks in such an account.
const CREATORS_IN_IT: usize = 4;
const DURATION: Duration = Duration::from_secs(3);

const LOG_PURGED_TASKS_ON_SQLITE: &str = "
    CREATE TABLE purged (owner_id blob, version integer);
    CREATE TRIGGER log_purged AFTER DELETE ON tasks BEGIN
        INSERT INTO purged VALUES (OLD.owner_id, OLD.version);
    END";
const LOG_PURGED_TASKS_ON_POSTGRES: &str = "
    CREATE TABLE purged (owner_id uuid, version bigint);
    CREATE FUNCTION log_purged() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO purged VALUES (OLD.owner_id, OLD.version);
        RETURN NULL;
    END $$;
    CREATE TRIGGER log_purged AFTER DELETE ON tasks FOR EACH ROW EXECUTE FUNCTION log_purged()";
/// Every task has one position for each version, until it is purged and afterwards.
const WRONG_COUNTERS: &str = "
    SELECT count(*) FROM change_heads WHERE position <> (
        SELECT coalesce(sum(version), 0) FROM (
            SELECT owner_id, version FROM tasks UNION ALL SELECT owner_id, version FROM purged
        ) AS task WHERE task.owner_id = change_heads.owner_id)";

/// Makes the trash of all users expire.
fn expire_trash(sql: &Sql) {
    let then = if sql.is_sqlite() { "datetime('now', '-31 days')" } else { "now() - interval '31 days'" };
    sql.run(&format!("UPDATE tasks SET deleted_at = {then} WHERE deleted_at IS NOT NULL"));
}

/// Changes tasks and deletes accounts for some seconds, while `disturb` runs again and again.
fn change_at_the_same_time(servers: &[Server], users: &[User], disturb: impl Fn() + Sync) {
    let until = Instant::now() + DURATION;
    let is_over = &AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let mut writer = Writer::new(&servers[number % servers.len()], users, number);
            scope.spawn(move || {
                while Instant::now() < until {
                    writer.write();
                }
            });
        }
        for number in 0..CREATORS {
            let mut client = servers[number % servers.len()].connect();
            scope.spawn(move || {
                for user in users.iter().cycle().skip(number).take_while(|_| Instant::now() < until) {
                    let response = client.post(&user.token, CREATE, &json!({ "input": { "title": "x" } }));
                    assert_eq!(code(&response), "", "{}", response.body);
                }
            });
        }
        scope.spawn(move || {
            for number in 0..DELETED_ACCOUNTS {
                delete_account_with_creators(servers, &format!("deleted{number}"));
            }
            is_over.store(true, Ordering::Relaxed);
        });
        while Instant::now() < until || !is_over.load(Ordering::Relaxed) {
            disturb();
        }
    });
}

/// Deletes an account while clients create tasks in it, until each of them is refused.
fn delete_account_with_creators(servers: &[Server], name: &str) {
    let token = &servers[0].register(name);
    thread::scope(|scope| {
        for number in 0..CREATORS_IN_IT {
            let mut client = servers[number % servers.len()].connect();
            scope.spawn(move || {
                let mut last = String::new();
                while last.is_empty() {
                    last = code(&client.post(token, CREATE, &json!({ "input": { "title": "x" } })));
                }
                assert_eq!(last, "UNAUTHENTICATED");
            });
        }
        thread::sleep(Duration::from_millis(100));
        let query = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
        let response = servers[0].post(token, query, &json!({ "password": PASSWORD }));
        assert_eq!(code(&response), "", "{}", response.body);
    });
}

#[test]
fn changes_of_all_kinds_on_sqlite_are_counted_once() {
    let env = ServerEnv::new().with("LIMIT_CREDENTIALS_PER_MINUTE", "0");
    let server = env.start(&[]);
    let users = ["ann", "bob", "eve"].map(|name| User::register(&server, name));
    let sql = Sql::open(&format!("sqlite://{}", env.path("data/taskhold.db").display()));
    sql.run(LOG_PURGED_TASKS_ON_SQLITE);
    users.iter().for_each(|user| user.fill_trash(&server, 100));
    expire_trash(&sql);
    // The trash is purged at the start.
    server.stop_gracefully();
    let servers = [env.start(&[])];
    change_at_the_same_time(&servers, &users, || thread::sleep(Duration::from_millis(50)));
    wait_until("the trash is purged", || sql.number("SELECT count(*) FROM purged") >= 300);
    assert_eq!(sql.number(WRONG_COUNTERS), 0, "counters are wrong");
}

#[test]
fn changes_of_all_kinds_on_two_instances_are_counted_once_without_a_deadlock() {
    let Some(database) = PostgresDatabase::new() else { return };
    let sql = Sql::open(&database.url);
    // Otherwise the lock timeouts of the server end a deadlock before PostgreSQL looks for it.
    let set = "EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''10ms''', current_database())";
    sql.run(&format!("DO $$ BEGIN {set}; END $$"));
    let env = ServerEnv::on(&database).with("LIMIT_CREDENTIALS_PER_MINUTE", "0");
    let servers = [env.start(&[]), env.start(&[])];
    sql.run(LOG_PURGED_TASKS_ON_POSTGRES);
    let users = ["ann", "bob", "eve"].map(|name| User::register(&servers[0], name));
    change_at_the_same_time(&servers, &users, || {
        // Another instance purges the trash at its start.
        users.iter().for_each(|user| user.fill_trash(&servers[0], 30));
        expire_trash(&sql);
        env.start(&[]).stop_gracefully();
    });
    assert!(sql.number("SELECT count(*) FROM purged") >= 90);
    servers.into_iter().for_each(|server| drop(server.stop_gracefully()));
    assert_eq!(sql.number(WRONG_COUNTERS), 0, "counters are wrong");
    // Each session reports its deadlocks at its end.
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    wait_until("the sessions end", || sql.number(others) == 0);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(sql.number(deadlocks), 0, "deadlocks");
}

/// The insert of a task locks the counter first and the account second.
#[test]
fn a_deleted_account_is_purged_in_the_order_in_which_others_lock_its_rows() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    let token = server.register("ann");
    server.post(&token, CREATE, &json!({ "input": { "title": "x" } }));
    let mut session = database.session();
    session.run("BEGIN; SELECT * FROM change_heads FOR UPDATE");
    let query = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
    let response = server.post(&token, query, &json!({ "password": PASSWORD }));
    assert_eq!(code(&response), "", "{}", response.body);
    wait_until("the purge waits for the counter", || database.statements_waiting_for_locks() > 0);
    let locked = session.try_run("SELECT * FROM users FOR KEY SHARE NOWAIT");
    assert!(locked.is_ok(), "{locked:?}");
    session.run("COMMIT");
    wait_until("the account is purged", || database.session().number("SELECT count(*) FROM users") == 0);
}
