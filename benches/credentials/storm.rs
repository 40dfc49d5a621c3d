//! Measures the latency of other requests during 500 simultaneous logins, and the memory of the server. A
//! regression is an exceeded bound of the 99th percentile, the memory or the error codes.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::figures::{Distribution, Report, ms};
use crate::support::{Client, PASSWORD, PostgresDatabase, Server, operation};
use crate::{LOGIN, code, credentials, unlimited};

const USERS: usize = 50;
const LOGINS: usize = 500;
const STORMS: usize = 5;
const QUIET: Duration = Duration::from_secs(10);
/// The pause after each storm, so that its effects do not reach the next one.
const PAUSE: Duration = Duration::from_secs(1);
/// The number of other clients, and the interval between the requests of each.
const CLIENTS: usize = 4;
const REQUEST_INTERVAL: Duration = Duration::from_millis(10);
const BOUND: Duration = Duration::from_millis(100);
/// KiB per MiB.
const MIB: u64 = 1024;

pub fn run(database: &PostgresDatabase, report: &mut Report) {
    let token = register_users(database);
    // A new process, which has not hashed any password yet.
    let server = unlimited(database).start(&[]);
    let (quiet, quiet_memory) = measure_during(&server, &token, || thread::sleep(QUIET));

    let (mut storms, mut memory, mut responses) = (Vec::new(), 0, BTreeMap::new());
    for _ in 0..STORMS {
        let (latencies, peak) = measure_during(&server, &token, || storm(&server, &mut responses));
        storms.extend(latencies);
        memory = memory.max(peak);
        thread::sleep(PAUSE);
    }
    let (quiet, storms) = (Distribution::of(quiet), Distribution::of(storms));
    println!("  {{ me {{ id }} }} quiet: {quiet}");
    println!("  {{ me {{ id }} }} in {STORMS} storms of {LOGINS} logins: {storms}");
    println!("  responses to the logins: {responses:?}");
    let (p99, three) = (storms.percentile(99), 3 * quiet.percentile(99));
    report.bound("p99, against three times its quiet value", ms(p99), ms(three), p99 <= three);
    report.bound("p99", ms(p99), ms(BOUND), p99 <= BOUND);
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let bound = quiet_memory + (cores - 1).max(1) * 19 * MIB + 64 * MIB;
    let figure = format!("{memory} KiB, quiet {quiet_memory} KiB");
    report.bound("resident memory", figure, format!("{bound} KiB"), memory <= bound);
    let known = |response: &String| ["", "SERVICE_UNAVAILABLE"].contains(&response.as_str());
    let strange: usize =
        responses.iter().filter(|(response, _)| !known(response)).map(|(_, count)| count).sum();
    report.bound("logins that failed otherwise than SERVICE_UNAVAILABLE", strange, 0, strange == 0);
}

/// Registers the users and returns the token of the first.
fn register_users(database: &PostgresDatabase) -> String {
    let server = unlimited(database).start(&[]);
    let tokens: Vec<String> = (0..USERS).map(|number| server.register(&user(number))).collect();
    tokens.into_iter().next().expect("there are users")
}

fn user(number: usize) -> String {
    format!("user{number}")
}

/// Sends all logins, each on its own connection, and counts the error codes of the responses.
fn storm(server: &Server, responses: &mut BTreeMap<String, usize>) {
    let send = |number: usize| {
        let mut client = server.connect();
        client.send(&operation("", LOGIN, &credentials(&user(number % USERS), PASSWORD)));
        client
    };
    let clients: Vec<_> = (0..LOGINS).map(send).collect();
    for mut client in clients {
        *responses.entry(code(&client.read_response())).or_default() += 1;
    }
}

/// Measures while `action` runs: the latencies of `{ me { id } }`, each from its scheduled time, and the peak
/// resident memory of the server in KiB.
fn measure_during(server: &Server, token: &str, action: impl FnOnce()) -> (Vec<Duration>, u64) {
    let (is_over, latencies, memory) = (AtomicBool::new(false), Mutex::new(Vec::new()), AtomicU64::new(0));
    let watch_memory = || {
        while !is_over.load(Ordering::Relaxed) {
            memory.fetch_max(resident_kib(server.pid()), Ordering::Relaxed);
            thread::sleep(Duration::from_millis(20));
        }
    };
    let send_requests = |number: u32, mut client: Client| {
        let mut due = Instant::now() + REQUEST_INTERVAL * number / CLIENTS as u32;
        let mut own_latencies = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let body = client.post(token, "{ me { id } }", &json!({})).json();
            own_latencies.push(due.elapsed());
            assert_eq!(body["errors"], Value::Null, "a request other than a login failed");
            due += REQUEST_INTERVAL;
        }
        latencies.lock().expect("no client panics").extend(own_latencies);
    };
    // The connections are opened before the storm, so that waiting for a connection is not measured.
    let clients: Vec<Client> = (0..CLIENTS).map(|_| server.connect()).collect();
    thread::scope(|scope| {
        let send_requests = &send_requests;
        scope.spawn(watch_memory);
        for (number, client) in (0..).zip(clients) {
            scope.spawn(move || send_requests(number, client));
        }
        action();
        is_over.store(true, Ordering::Relaxed);
    });
    (latencies.into_inner().expect("no client panics"), memory.into_inner())
}

fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs on Linux");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the status contains VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number of KiB")
}
