//! Writes that fail under SQLite: a full disk, a file that may not grow, an I/O error.

use std::fs;
use std::process::Command;

use super::{Account, UNAVAILABLE, rounds};
use crate::support::{Load, Place, Scarcity, SmallDisk};

fn nothing_is_lost_when_writes_fail(scarcity: Scarcity) {
    let disk = SmallDisk::new(scarcity);
    let place = disk.place();
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(2) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        disk.fill(&server);
        load.wait_for_refusals(20);
        disk.free(&server);
        ann.works_again(&server);
        load.wait_for_successes(20);
        load.stop();
    }
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE);
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_writes_fail(Scarcity::DiskFull);
}

#[test]
fn a_file_that_may_not_grow_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_writes_fail(Scarcity::FileSize);
}

/// A place whose server asks a library of ours for fsync and pwrite, which fails as a file tells it to.
fn place_with_failing_calls() -> Place {
    let place = Place::new();
    let library = place.path("failing_calls.so").display().to_string();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/failing_calls.c");
    // There is a C compiler wherever these tests were linked.
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, source, "-ldl"]).status();
    assert!(compiled.expect("there is a C compiler").success());
    let fault = place.path("fault").display().to_string();
    place.with("LD_PRELOAD", &library).with("FAULT_FILE", &fault)
}

fn nothing_is_lost_when_a_call_fails(call: &str) {
    let place = place_with_failing_calls();
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        place.write("fault", call);
        load.wait_for_refusals(1);
        fs::remove_file(place.path("fault")).expect("it is a file of ours");
        ann.works_again(&server);
        load.stop();
    }
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE);
}

#[test]
fn a_commit_whose_sync_fails_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_a_call_fails("sync");
}

#[test]
fn a_write_to_the_file_that_fails_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_a_call_fails("write");
}
