//! Writes that fail under SQLite: a full disk, a file that may not grow, an I/O error.

use std::fs;
use std::process::Command;

use super::{Account, UNAVAILABLE, rounds};
use crate::support::{Load, ServerEnv, SmallDisk, WriteFailure};

fn nothing_is_lost_when_writes_fail(failure: WriteFailure) {
    let disk = SmallDisk::new(failure);
    let env = disk.server_env();
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(2) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        disk.fill(&server);
        load.wait_for_errors(20);
        disk.free(&server);
        ann.assert_works_again(&server);
        load.wait_for_successes(20);
        load.stop();
    }
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE);
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_writes_fail(WriteFailure::DiskFull);
}

#[test]
fn a_file_that_may_not_grow_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_writes_fail(WriteFailure::FileSize);
}

/// An environment whose server calls fsync and pwrite of a preloaded library, which fail while a fault file
/// exists.
fn env_with_failing_calls() -> ServerEnv {
    let env = ServerEnv::new();
    let library = env.path("failing_calls.so").display().to_string();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/failing_calls.c");
    // Linking these tests needs a C compiler, so one is installed.
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o", &library, source, "-ldl"]).status();
    assert!(compiled.expect("there is a C compiler").success());
    let fault = env.path("fault").display().to_string();
    env.with("LD_PRELOAD", &library).with("FAULT_FILE", &fault)
}

fn nothing_is_lost_when_a_call_fails(call: &str) {
    let env = env_with_failing_calls();
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        env.write("fault", call);
        load.wait_for_errors(1);
        fs::remove_file(env.path("fault")).expect("the test created the file");
        ann.assert_works_again(&server);
        load.stop();
    }
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE);
}

#[test]
fn a_commit_whose_sync_fails_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_a_call_fails("sync");
}

#[test]
fn a_write_to_the_file_that_fails_loses_nothing_that_was_acknowledged() {
    nothing_is_lost_when_a_call_fails("write");
}
