//! Measures live changes: the program on a temporary PostgreSQL that waits for its disk, with all clients on the same
//! machine, and beside it a WebSocket server on LISTEN and NOTIFY that is written by hand (peer/server.js).
//! `cargo bench --bench live` prints a table. The run fails, as a regression, if a bound is exceeded.

mod data;
#[allow(dead_code, reason = "the other benchmark uses more of it")]
#[path = "../support/figures.rs"]
mod figures;
mod machine;
mod measure;
mod sockets;
mod table;
mod target;

#[allow(dead_code, reason = "the tests use more of these helpers")]
#[path = "../../tests/support"]
mod support {
    mod client;
    mod database;
    pub mod postgres;
    mod server;
    mod sql_session;

    pub use client::{Client, HttpResponse, PASSWORD, operation};
    pub use database::PostgresDatabase;
    pub use server::{SECRET, ServerEnv};
    pub use sql_session::SqlSession;
}

use std::process::ExitCode;
use std::time::Duration;

use data::OWNERS;
use figures::{Distribution, Report, ms};
use measure::{IDLE_SUBSCRIBERS, LISTENERS, LISTENERS_PER_OWNER};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use target::{Peer, Target, Taskhold};

const MAX_IDLE_BYTES: f64 = 10.0 * 1024.0;
/// The bounds of the 99th percentile from the sending of a change to its event.
const MAX_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY_OF_SECOND_INSTANCE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    allow_open_files();
    let Some(postgres) = support::postgres::dedicated_server() else {
        eprintln!(
            "This benchmark starts a PostgreSQL of its own: install PostgreSQL and unset TEST_DATABASE_URL."
        );
        return ExitCode::FAILURE;
    };
    data::prepare(&postgres.url);
    let (taskhold, peer) = (Taskhold::new(&postgres.url), Peer::new(&postgres.url));
    let mut targets: Vec<&dyn Target> = vec![&taskhold];
    match &peer {
        Some(peer) => targets.push(peer),
        None => eprintln!("The peer is not measured: Node.js or npm is missing."),
    }
    let mut report = Report::default();
    table::head();
    idle(&targets, &mut report);
    fan_out(&targets);
    delivery(&targets, &mut report, false);
    delivery(&targets, &mut report, true);
    catch_up(&targets, &postgres.url);
    println!(
        "\nThe peer has no order (a change that is committed late may never be read), no resumption, no sessions \
         that end,\nno limits, no protection from slow clients, and no rows of more than 8,000 bytes."
    );
    report.exit_code()
}

fn idle(targets: &[&dyn Target], report: &mut Report) {
    table::group(&format!("{IDLE_SUBSCRIBERS} users with a listener each"));
    let results = each(targets, measure::idle);
    let kib = |bytes: f64| format!("{:.1} KiB", bytes / 1024.0);
    table::row("memory of a listener", &results, |result| kib(result.bytes_per_subscriber));
    table::row("until all of them listen", &results, |result| ms(result.opening));
    table::row("one change to its listener, p50, max", &results, |result| median_and_max(&result.delay));
    let bytes = results[0].bytes_per_subscriber;
    report.bound("memory of an idle listener", kib(bytes), kib(MAX_IDLE_BYTES), bytes <= MAX_IDLE_BYTES);
}

fn fan_out(targets: &[&dyn Target]) {
    table::group(&format!("one user with {LISTENERS} listeners"));
    let results = each(targets, measure::fan_out);
    table::row("one change to the last listener, p50, max", &results, median_and_max);
}

fn delivery(targets: &[&dyn Target], report: &mut Report, on_second_instance: bool) {
    let (place, bound) = if on_second_instance {
        ("a second instance", MAX_DELAY_OF_SECOND_INSTANCE)
    } else {
        ("the instance that writes", MAX_DELAY)
    };
    table::group(&format!(
        "{OWNERS} users with {LISTENERS_PER_OWNER} listeners each on {place}, 100 changes per second"
    ));
    let results = each(targets, |target| measure::delivery(target, on_second_instance));
    table::row("from sending, p50, p99, max", &results, |result| percentiles(&result.from_sending));
    table::row("from the response, p50, p99, max", &results, |result| percentiles(&result.from_response));
    table::row("processor time of the server for an event", &results, |result| us(result.server_time));
    table::row("processor time of the clients for an event", &results, |result| us(result.client_time));
    table::row("idle time of the processors", &results, |result| format!("{:.0} %", result.idle * 100.0));
    let p99 = results[0].from_sending.percentile(99);
    report.bound("p99 from sending", ms(p99), ms(bound), p99 < bound);
}

fn catch_up(targets: &[&dyn Target], url: &str) {
    table::group(&format!("{} missed changes, 100 at a time", data::MISSED_CHANGES));
    let cursors = each(targets, measure::cursor);
    data::insert_missed(url);
    let figure = |time: &Duration| {
        let rate = data::MISSED_CHANGES as f64 / time.as_secs_f64();
        format!("{:.3} s, {rate:.0} changes/s", time.as_secs_f64())
    };
    let with_cursors = targets.iter().zip(&cursors);
    let times: Vec<Duration> =
        with_cursors.map(|(target, cursor)| measure::catch_up_by_query(*target, cursor)).collect();
    table::row("by the query", &times, figure);
    let time = measure::catch_up_by_subscription(targets[0], &cursors[0]);
    table::row("by a subscription", &[time], figure);
}

fn each<T>(targets: &[&dyn Target], measure: impl Fn(&dyn Target) -> T) -> Vec<T> {
    targets.iter().map(|target| measure(*target)).collect()
}

fn percentiles(delays: &Distribution) -> String {
    [50, 99, 100].map(|percent| ms(delays.percentile(percent))).join(", ")
}

fn median_and_max(delays: &Distribution) -> String {
    [delays.median(), delays.max()].map(ms).join(", ")
}

fn us(duration: Duration) -> String {
    format!("{} µs", duration.as_micros())
}

/// Raises the limit of open files to the highest allowed value, for this process and the servers that it starts.
fn allow_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("the limit is allowed");
}
