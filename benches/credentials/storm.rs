//! What other requests feel of 500 logins that arrive at once, and what memory they take.

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
/// Between storms, for what one leaves behind to be over.
const CALM: Duration = Duration::from_secs(1);
/// The clients that are not to feel it, and how often each asks.
const CLIENTS: usize = 4;
const ASKS_EVERY: Duration = Duration::from_millis(10);
const BOUND: Duration = Duration::from_millis(100);
const MIB: u64 = 1024;

pub fn run(database: &PostgresDatabase, report: &mut Report) {
    let token = unlimited_users(database);
    // Another process, which has hashed nothing yet.
    let server = unlimited(database).start(&[]);
    let (quiet, quiet_memory) = observed(&server, &token, || thread::sleep(QUIET));

    let (mut storms, mut memory, mut answers) = (Vec::new(), 0, BTreeMap::new());
    for _ in 0..STORMS {
        let (felt, most) = observed(&server, &token, || storm(&server, &mut answers));
        storms.extend(felt);
        memory = memory.max(most);
        thread::sleep(CALM);
    }
    let (quiet, storms) = (Distribution::of(quiet), Distribution::of(storms));
    println!("  {{ me {{ id }} }} quiet: {quiet}");
    println!("  {{ me {{ id }} }} in {STORMS} storms of {LOGINS} logins: {storms}");
    println!("  answers to the logins: {answers:?}");
    let (p99, three) = (storms.percentile(99), 3 * quiet.percentile(99));
    report.bound("p99, against three times its quiet value", ms(p99), ms(three), p99 <= three);
    report.bound("p99", ms(p99), ms(BOUND), p99 <= BOUND);
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let bound = quiet_memory + (cores - 1).max(1) * 19 * MIB + 64 * MIB;
    let figure = format!("{memory} KiB, quiet {quiet_memory} KiB");
    report.bound("resident memory", figure, format!("{bound} KiB"), memory <= bound);
    let known = |answer: &String| ["", "SERVICE_UNAVAILABLE"].contains(&answer.as_str());
    let strange: usize = answers.iter().filter(|(answer, _)| !known(answer)).map(|(_, count)| count).sum();
    report.bound("logins that failed otherwise than SERVICE_UNAVAILABLE", strange, 0, strange == 0);
}

/// Registers the users; gives a token of one.
fn unlimited_users(database: &PostgresDatabase) -> String {
    let server = unlimited(database).start(&[]);
    let tokens: Vec<String> = (0..USERS).map(|number| server.register(&user(number))).collect();
    tokens.into_iter().next().expect("there are users")
}

fn user(number: usize) -> String {
    format!("user{number}")
}

/// Sends all logins, each on its own connection, and counts the codes of the answers.
fn storm(server: &Server, answers: &mut BTreeMap<String, usize>) {
    let send = |number: usize| {
        let mut client = server.connect();
        client.send(&operation("", LOGIN, &credentials(&user(number % USERS), PASSWORD)));
        client
    };
    let clients: Vec<_> = (0..LOGINS).map(send).collect();
    for mut client in clients {
        *answers.entry(code(&client.reply())).or_default() += 1;
    }
}

/// How long `{ me { id } }` takes while something goes on, from when it was due, and the most memory
/// that the server has meanwhile, in KiB.
fn observed(server: &Server, token: &str, goes_on: impl FnOnce()) -> (Vec<Duration>, u64) {
    let (over, felt, memory) = (AtomicBool::new(false), Mutex::new(Vec::new()), AtomicU64::new(0));
    let watch = || {
        while !over.load(Ordering::Relaxed) {
            memory.fetch_max(resident(server.process()), Ordering::Relaxed);
            thread::sleep(Duration::from_millis(20));
        }
    };
    let ask = |number: u32, mut client: Client| {
        let mut due = Instant::now() + ASKS_EVERY * number / CLIENTS as u32;
        let mut mine = Vec::new();
        while !over.load(Ordering::Relaxed) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let body = client.post(token, "{ me { id } }", &json!({})).json();
            mine.push(due.elapsed());
            assert_eq!(body["errors"], Value::Null, "a request that is no login failed");
            due += ASKS_EVERY;
        }
        felt.lock().expect("no client panics").extend(mine);
    };
    // They are there before: what is asked is not how long a new connection waits in the crowd.
    let clients: Vec<Client> = (0..CLIENTS).map(|_| server.connect()).collect();
    thread::scope(|scope| {
        let ask = &ask;
        scope.spawn(watch);
        for (number, client) in (0..).zip(clients) {
            scope.spawn(move || ask(number, client));
        }
        goes_on();
        over.store(true, Ordering::Relaxed);
    });
    (felt.into_inner().expect("no client panics"), memory.into_inner())
}

fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number of KiB")
}
