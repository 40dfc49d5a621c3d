//! Several instances on one database: on PostgreSQL they share it, on SQLite only one may run.

use std::fs;

use crate::process::configuration::startup_errors::assert_fails_with;
use crate::process::{assert_works, username_of};
use crate::support::{PostgresDatabase, ServerEnv};

fn four_instances_start(env: &ServerEnv) {
    let programs: Vec<_> = (0..4).map(|_| env.spawn(&[])).collect();
    let servers: Vec<_> = programs.into_iter().map(|program| program.wait_until_ready()).collect();
    servers.iter().for_each(assert_works);
    // All instances share one secret, so each accepts the tokens of the others.
    for (number, signer) in servers.iter().enumerate() {
        let name = format!("user{number}");
        let token = signer.register(&name);
        for server in &servers {
            assert_eq!(username_of(server, &token), name);
        }
    }
    let migrations = env.run(&["migrate", "status"]).stdout;
    assert!(migrations.lines().all(|line| line.starts_with("applied ")), "{migrations}");
    let applied: usize = servers.iter().map(|server| server.log().matches("has been applied").count()).sum();
    assert_eq!(applied, migrations.lines().count());
}

#[test]
fn only_one_of_four_instances_starts_on_one_sqlite_file() {
    let env = ServerEnv::new();
    let programs: Vec<_> = (0..4).map(|_| env.spawn(&[])).collect();
    let (mut servers, mut refusals) = (Vec::new(), Vec::new());
    for program in programs {
        match program.ready_or_stderr() {
            Ok(server) => servers.push(server),
            Err(refusal) => refusals.push(refusal),
        }
    }
    assert_eq!((servers.len(), refusals.len()), (1, 3), "{refusals:?}");
    for refusal in refusals {
        let reason = "taskhold: DATA_DIR: another server uses SQLite at ./data/taskhold.db; ";
        assert!(refusal.starts_with(reason) && refusal.lines().count() == 1, "{refusal}");
    }
    assert_works(&servers[0]);
}

#[cfg(unix)]
#[test]
fn a_second_server_is_refused_for_every_path_of_the_sqlite_file() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    std::os::unix::fs::symlink("data", env.path("link")).expect("a link can be created");
    std::os::unix::fs::symlink("data/taskhold.db", env.path("other.db")).expect("a link can be created");
    let whole = env.path("data/taskhold.db").display().to_string();
    for path in ["./data/../data/taskhold.db", "link/taskhold.db", "other.db", &whole] {
        let url = format!("sqlite://{path}");
        assert_fails_with(
            &env,
            &["--database-url", &url],
            &["DATABASE_URL: another server uses SQLite at ", path],
        );
    }
    assert_works(&server);
}

#[cfg(unix)]
#[test]
fn a_killed_server_leaves_no_lock() {
    let env = ServerEnv::new();
    for _ in 0..3 {
        let mut server = env.start(&[]);
        server.signal("KILL");
        assert!(!server.exits_cleanly());
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(env.path("data/taskhold.db.lock")).expect("the lock file exists").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn other_commands_work_beside_a_server_on_sqlite() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    for arguments in [&["check"][..], &["migrate"], &["migrate", "status"], &["user", "list"]] {
        let run = env.run(arguments);
        assert!(run.success, "{arguments:?}: {}", run.stderr);
    }
    assert_works(&server);
}

#[test]
fn four_instances_on_postgres_migrate_once_and_share_a_secret() {
    let Some(database) = PostgresDatabase::new() else { return };
    four_instances_start(&ServerEnv::on(&database));
}
