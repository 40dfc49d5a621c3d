//! SQLite's file: moved away, deleted, or opened by a second server.

use std::fs;
use std::time::{Duration, Instant};

use super::{Account, UNAVAILABLE};
use crate::support::{Load, Place, Server, wait_within};

const FILE: &str = "data/taskhold.db";

/// Within a second of the loss of the file `/readyz` is 503 and writes are refused, all of them.
fn learns_that_the_file_is_gone(server: &Server, ann: &Account) {
    let gone = Instant::now();
    let time_limit = Duration::from_secs(1);
    wait_within(time_limit, "/readyz is 503", || server.get("/readyz").status == 503);
    let mut writer = ann.writer(server);
    wait_within(time_limit.saturating_sub(gone.elapsed()), "writes are refused", || {
        !writer.write().is_empty()
    });
    for _ in 0..20 {
        assert_eq!(writer.write(), "SERVICE_UNAVAILABLE");
    }
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
}

#[test]
fn a_file_that_is_moved_away_is_missed_within_a_second_and_works_again_when_it_is_back() {
    let place = Place::new();
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let load = Load::start(&server, &ann.token, &ann.ledger);
    load.wait_for_successes(20);
    let elsewhere = place.path("data/elsewhere.db");
    fs::rename(place.path(FILE), &elsewhere).expect("a file can be moved");
    learns_that_the_file_is_gone(&server, &ann);
    assert!(!place.path(FILE).exists(), "the server has put an empty database in its place");
    fs::rename(&elsewhere, place.path(FILE)).expect("a file can be moved");
    ann.works_again(&server);
    load.stop();
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE);
}

#[test]
fn a_file_that_is_deleted_is_missed_within_a_second() {
    let place = Place::new();
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    fs::remove_file(place.path(FILE)).expect("a file can be deleted");
    learns_that_the_file_is_gone(&server, &ann);
    assert!(!place.path(FILE).exists(), "the server has put an empty database in its place");
}

#[test]
fn a_file_in_the_place_of_another_is_not_written_to() {
    let (place, other) = (Place::new(), Place::new());
    assert!(other.run(&["migrate"]).success);
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    fs::rename(other.path(FILE), place.path(FILE)).expect("a file can be moved");
    learns_that_the_file_is_gone(&server, &ann);
}

#[test]
fn a_second_server_on_one_file_is_refused_at_its_start() {
    let place = Place::new();
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    let second = place.run(&["serve"]);
    assert!(!second.success, "two servers use one file");
    assert_eq!(second.stderr.lines().count(), 1, "{}", second.stderr);
    assert!(
        second.stderr.contains("DATA_DIR") || second.stderr.contains("DATABASE_URL"),
        "{}",
        second.stderr
    );
    assert!(place.run(&["user", "list"]).success, "other commands need no lock");
    // A kill releases the lock as well.
    ann.finds_everything_after_a_kill(&place, server);
}
