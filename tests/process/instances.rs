//! Several instances that start at once on an empty database.

use std::fs;

use super::refusals::refuses;
use super::{assert_works, whose};
use crate::support::{Place, PostgresDatabase};

fn four_start_at_once(place: &Place) {
    let beginning: Vec<_> = (0..4).map(|_| place.begin(&[])).collect();
    let servers: Vec<_> = beginning.into_iter().map(|program| program.ready()).collect();
    servers.iter().for_each(assert_works);
    // One secret: what one signs, all believe.
    for (number, signer) in servers.iter().enumerate() {
        let name = format!("user{number}");
        let token = signer.register(&name);
        for server in &servers {
            assert_eq!(whose(server, &token), name);
        }
    }
    let migrations = place.run(&["migrate", "status"]).stdout;
    assert!(migrations.lines().all(|line| line.starts_with("applied ")), "{migrations}");
    let applied: usize = servers.iter().map(|server| server.log().matches("has been applied").count()).sum();
    assert_eq!(applied, migrations.lines().count());
}

#[test]
fn of_four_on_one_sqlite_file_one_starts() {
    let place = Place::new();
    let beginning: Vec<_> = (0..4).map(|_| place.begin(&[])).collect();
    let (mut servers, mut refusals) = (Vec::new(), Vec::new());
    for program in beginning {
        match program.outcome() {
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
fn an_sqlite_file_is_the_same_by_every_path() {
    let place = Place::new();
    let server = place.start(&[]);
    std::os::unix::fs::symlink("data", place.path("link")).expect("a link can be made");
    std::os::unix::fs::symlink("data/taskhold.db", place.path("other.db")).expect("a link can be made");
    let whole = place.path("data/taskhold.db").display().to_string();
    for path in ["./data/../data/taskhold.db", "link/taskhold.db", "other.db", &whole] {
        let url = format!("sqlite://{path}");
        refuses(&place, &["--database-url", &url], &["DATABASE_URL: another server uses SQLite at ", path]);
    }
    assert_works(&server);
}

#[cfg(unix)]
#[test]
fn a_server_that_was_killed_leaves_no_lock() {
    let place = Place::new();
    for _ in 0..3 {
        let mut server = place.start(&[]);
        server.signal("KILL");
        assert!(!server.ends_well());
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(place.path("data/taskhold.db.lock")).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn other_commands_work_beside_a_server_on_sqlite() {
    let place = Place::new();
    let server = place.start(&[]);
    for arguments in [&["check"][..], &["migrate"], &["migrate", "status"], &["user", "list"]] {
        let run = place.run(arguments);
        assert!(run.success, "{arguments:?}: {}", run.stderr);
    }
    assert_works(&server);
}

#[test]
fn on_postgres_they_migrate_once_and_share_a_secret() {
    let Some(database) = PostgresDatabase::new() else { return };
    four_start_at_once(&Place::on(&database));
}
