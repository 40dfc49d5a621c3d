//! Measures sixteen workers that share a list of 70 or 5,000 tasks on both databases: the claims per second, and pages of
//! ready tasks that another client reads during this. `cargo bench --bench claims` fails if one of them takes 2 seconds.

#[path = "../support/figures.rs"]
#[allow(dead_code, reason = "other benchmarks use more of these figures")]
mod figures;
#[path = "../support/lists.rs"]
#[allow(dead_code, reason = "other benchmarks use more of these helpers")]
mod lists;

#[allow(dead_code, reason = "the tests use more of these helpers")]
#[path = "../../tests/support"]
mod support {
    mod client;
    mod database;
    pub mod postgres;
    mod server;
    mod sql_session;

    pub use client::{Client, PASSWORD};
    pub use database::PostgresDatabase;
    pub use server::{Server, ServerEnv};
    pub use sql_session::SqlSession;
}

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use figures::{Distribution, Report, ms};
use lists::{User, list_of, timed};
use serde_json::{Value, json};
use support::{PostgresDatabase, Server, ServerEnv};

const WORKERS: usize = 16;
const SIZES: [usize; 2] = [70, 5_000];
/// How long the workers share one list, unless they complete it earlier.
const DURATION: Duration = Duration::from_secs(20);
/// The pages of ready tasks that are read while no worker is active.
const PAGES: usize = 100;
/// How long claimNextTask and a page of ready tasks may take.
const MAX_DURATION: Duration = Duration::from_secs(2);

const IMPORT: &str =
    "mutation($markdown: String!) { importTaskList(input: { markdown: $markdown }) { taskList { id } } }";
const CLAIM: &str = "mutation($id: ID!, $worker: String!) {
    claimNextTask(input: { listId: $id, worker: $worker }) { claim { id task { id } } reason } }";
const COMPLETE: &str = "mutation($id: ID!) { completeClaim(id: $id) { task { id } } }";
const READY: &str = "query($id: ID!) { taskList(id: $id) { readyTasks(first: 20) { nodes { id key } } } }";

fn main() -> ExitCode {
    let Some(database) = PostgresDatabase::new() else { return ExitCode::FAILURE };
    let mut report = Report::default();
    measure("SQLite", &ServerEnv::new(), &mut report);
    measure("PostgreSQL", &ServerEnv::on(&database), &mut report);
    report.exit_code()
}

fn measure(name: &str, env: &ServerEnv, report: &mut Report) {
    let server = env.start(&["--limit-request-bytes", "3000000"]);
    let token = server.register("ann");
    let connect = || User { client: server.connect(), token: token.clone() };
    println!("{name}");
    for size in SIZES {
        println!("  {size} tasks");
        let mut user = connect();
        let imported = user.ask(IMPORT, &json!({ "markdown": list_of(size) }));
        let list = imported["importTaskList"]["taskList"]["id"].clone();
        let alone = Distribution::of((0..PAGES).map(|_| page_of_ready(&mut user, &list)));
        println!("    page of ready tasks, alone: {alone}");
        let (claims, pages, elapsed) = work_off(&server, &token, &list);
        let count = claims.len();
        let rate = count as f64 / elapsed.as_secs_f64();
        println!("    {count} claims made and completed in {}: {rate:.0} per second", ms(elapsed));
        let claims = Distribution::of(claims);
        println!("    claimNextTask: {claims}");
        println!("    page of ready tasks, beside the workers: {pages}");
        let longest = claims.max().max(pages.max());
        report.bound("the longest of both", ms(longest), ms(MAX_DURATION), longest <= MAX_DURATION);
    }
}

/// The durations of all successful claims and of pages that are read beside them, and the time in all.
fn work_off(server: &Server, token: &str, list: &Value) -> (Vec<Duration>, Distribution, Duration) {
    let connect = || User { client: server.connect(), token: token.to_owned() };
    let is_over = AtomicBool::new(false);
    let began = Instant::now();
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut user = connect();
            let pages = std::iter::from_fn(|| {
                thread::sleep(Duration::from_millis(20));
                (!is_over.load(Ordering::Relaxed)).then(|| page_of_ready(&mut user, list))
            });
            // One page at least, also when the list is completed within milliseconds.
            pages.collect::<Vec<_>>()
        });
        let workers: Vec<_> = (0..WORKERS)
            .map(|number| {
                let mut user = connect();
                scope.spawn(move || work(&mut user, list, &format!("worker {number}"), began + DURATION))
            })
            .collect();
        let done: Vec<(Duration, Value)> =
            workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect();
        let elapsed = began.elapsed();
        is_over.store(true, Ordering::Relaxed);
        let mut pages = reader.join().expect("the reader does not panic");
        pages.push(page_of_ready(&mut connect(), list));
        let tasks: HashSet<String> = done.iter().map(|(_, task)| task.to_string()).collect();
        assert_eq!(tasks.len(), done.len(), "no task is claimed twice");
        (done.into_iter().map(|(duration, _)| duration).collect(), Distribution::of(pages), elapsed)
    })
}

/// Claims and completes tasks until none is left or the time is over. Returns the duration and the task of each claim.
fn work(user: &mut User, list: &Value, worker: &str, end: Instant) -> Vec<(Duration, Value)> {
    let mut claims = Vec::new();
    while Instant::now() < end {
        let (duration, claimed) = timed(|| user.ask(CLAIM, &json!({ "id": list, "worker": worker })));
        let claimed = &claimed["claimNextTask"];
        match claimed["reason"].as_str() {
            None => {
                user.ask(COMPLETE, &json!({ "id": claimed["claim"]["id"] }));
                claims.push((duration, claimed["claim"]["task"]["id"].clone()));
            }
            Some("DONE") => break,
            Some(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
    claims
}

fn page_of_ready(user: &mut User, list: &Value) -> Duration {
    timed(|| user.ask(READY, &json!({ "id": list }))).0
}
