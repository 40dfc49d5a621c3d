//! `taskhold resync` beside running servers, and after a backup was restored: every cursor from before has expired.

use std::fs;
use std::path::Path;

use crate::process::changes::follower::{Follower, listed};
use crate::process::changes::writers::{User, Writer};
use crate::process::code;
use crate::support::{PostgresDatabase, Server, ServerEnv, json};

const WRITES: usize = 40;

/// Changes tasks of some users.
fn change(server: &Server, users: &[User]) {
    let mut writer = Writer::new(server, users, 1);
    (0..WRITES).for_each(|_| writer.write());
}

/// A cursor of each kind, for one user.
fn cursors(server: &Server, token: &str) -> Vec<String> {
    let query = "{ first: taskChanges(first: 1) { cursor } last: taskChanges(first: 100) { cursor hasMore }
                   tasks { syncCursor } trash { syncCursor } me { tasks { syncCursor } } }";
    let data = server.post(token, query, &json!({})).json()["data"].take();
    assert_eq!(data["last"]["hasMore"], false);
    let paths =
        ["/first/cursor", "/last/cursor", "/tasks/syncCursor", "/trash/syncCursor", "/me/tasks/syncCursor"];
    paths.map(|path| data.pointer(path).and_then(|cursor| cursor.as_str()).expect(path).to_owned()).into()
}

/// The code of a query that continues after a cursor; empty if the cursor is valid.
fn code_of(server: &Server, token: &str, cursor: &str) -> String {
    let query = "query($after: String) { taskChanges(after: $after) { cursor } }";
    code(&server.post(token, query, &json!({ "after": cursor })))
}

fn resync(env: &ServerEnv, accounts: usize) {
    let run = env.run(&["resync"]);
    let expected =
        format!("All cursors are expired (accounts: {accounts}). Clients read everything again.\n");
    assert_eq!((run.code, run.stdout, run.stderr.as_str()), (Some(0), expected, ""));
}

/// Asserts that each of these cursors has expired, and that a client that begins again has all tasks.
fn assert_expired(servers: &[Server], user: &User, cursors: &[String]) {
    for server in servers {
        for cursor in cursors {
            assert_eq!(code_of(server, &user.token, cursor), "CURSOR_EXPIRED");
        }
    }
    let mut follower = Follower::new(servers, &user.token, 1);
    follower.finish();
    assert_eq!(follower.copy.tasks, listed(&servers[0], &user.token));
}

/// Runs the command twice. The second user has no task.
fn resync_beside(env: &ServerEnv, servers: &[Server]) {
    let users = ["ann", "bob"].map(|name| User::register(&servers[0], name));
    change(&servers[0], &users[..1]);
    let mut earlier = users.each_ref().map(|_| Vec::new());
    for _ in 0..2 {
        for (user, earlier) in users.iter().zip(&mut earlier) {
            let new = cursors(&servers[0], &user.token);
            for cursor in &new {
                assert_eq!(code_of(&servers[0], &user.token, cursor), "");
            }
            earlier.extend(new);
        }
        resync(env, users.len());
        for (user, earlier) in users.iter().zip(&earlier) {
            assert_expired(servers, user, earlier);
        }
        change(&servers[0], &users);
    }
}

/// Restores the same backup twice, with the command after each.
fn restore_twice(env: &ServerEnv, back_up: impl Fn(), restore: impl Fn()) {
    let server = env.start(&[]);
    let users = ["ann"].map(|name| User::register(&server, name));
    change(&server, &users);
    let token = &users[0].token;
    let mut earlier = cursors(&server, token);
    server.stop_gracefully();
    back_up();
    for round in 1..=3 {
        let server = env.start(&[]);
        // The later histories are longer, so that their counters pass those of the earlier ones.
        (0..round).for_each(|_| change(&server, &users));
        let servers = [server];
        if round > 1 {
            assert_expired(&servers, &users[0], &earlier);
        }
        earlier.extend(cursors(&servers[0], token));
        let [server] = servers;
        server.stop_gracefully();
        restore();
        resync(env, 1);
    }
}

#[test]
fn on_sqlite_all_cursors_expire_beside_a_running_server() {
    let env = ServerEnv::new();
    let servers = [env.start(&[])];
    resync_beside(&env, &servers);
}

#[test]
fn on_postgres_all_cursors_expire_beside_running_instances() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let servers = [env.start(&[]), env.start(&[])];
    resync_beside(&env, &servers);
}

#[test]
fn on_sqlite_no_cursor_is_valid_in_a_history_after_a_restored_backup() {
    let env = ServerEnv::new();
    let (file, backup) = (env.path("data/taskhold.db"), env.path("backup.db"));
    let copy = |from: &Path, to: &Path| assert!(fs::copy(from, to).is_ok());
    restore_twice(&env, || copy(&file, &backup), || copy(&backup, &file));
}

#[test]
fn on_postgres_no_cursor_is_valid_in_a_history_after_a_restored_backup() {
    let Some(database) = PostgresDatabase::new() else { return };
    restore_twice(&ServerEnv::on(&database), || database.back_up(), || database.restore());
}
