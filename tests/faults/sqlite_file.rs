//! The SQLite file is moved, deleted, replaced, or opened by a second server.

use std::fs;
use std::time::{Duration, Instant};

use super::{Account, UNAVAILABLE};
use crate::support::{Load, Server, ServerEnv, wait_within};

const FILE: &str = "data/taskhold.db";

/// Asserts that within a second after the loss of the file `/readyz` is 503 and all writes fail.
fn assert_file_loss_is_detected(server: &Server, ann: &Account) {
    let lost = Instant::now();
    let time_limit = Duration::from_secs(1);
    wait_within(time_limit, "/readyz is 503", || server.get("/readyz").status == 503);
    let mut writer = ann.writer(server);
    wait_within(time_limit.saturating_sub(lost.elapsed()), "writes fail", || !writer.write().is_empty());
    for _ in 0..20 {
        assert_eq!(writer.write(), "SERVICE_UNAVAILABLE");
    }
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
}

#[test]
fn a_moved_file_is_detected_within_a_second_and_used_again_when_it_is_back() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let load = Load::start(&server, &ann.token, &ann.ledger);
    load.wait_for_successes(20);
    let elsewhere = env.path("data/elsewhere.db");
    fs::rename(env.path(FILE), &elsewhere).expect("a file can be moved");
    assert_file_loss_is_detected(&server, &ann);
    assert!(!env.path(FILE).exists(), "the server created an empty database");
    fs::rename(&elsewhere, env.path(FILE)).expect("a file can be moved");
    ann.assert_works_again(&server);
    load.stop();
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE);
}

#[test]
fn a_deleted_file_is_detected_within_a_second() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    fs::remove_file(env.path(FILE)).expect("a file can be deleted");
    assert_file_loss_is_detected(&server, &ann);
    assert!(!env.path(FILE).exists(), "the server created an empty database");
}

#[test]
fn a_file_that_replaced_the_database_is_not_written_to() {
    let (env, other) = (ServerEnv::new(), ServerEnv::new());
    assert!(other.run(&["migrate"]).success);
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    fs::rename(other.path(FILE), env.path(FILE)).expect("a file can be moved");
    assert_file_loss_is_detected(&server, &ann);
}

#[test]
fn a_second_server_on_the_same_file_does_not_start() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    let second = env.run(&["serve"]);
    assert!(!second.success, "two servers use one file");
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);
    assert!(
        second.stderr.contains("DATA_DIR") || second.stderr.contains("DATABASE_URL"),
        "{}",
        second.stderr
    );
    assert!(env.run(&["user", "list"]).success, "other commands need no lock");
    // A kill releases the lock, too.
    ann.assert_nothing_lost_after_kill(&env, server);
}
