//! PostgreSQL is killed while the server is under load. Kills of the server are in `faults::server_kill`.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{CREATE, all_tasks, chosen_id, code, login};
use crate::support::{PASSWORD, SECRET, Server, ServerEnv, json, postgres, wait_until};

const CLIENTS: usize = 8;
const ME: &str = "{ me { username } }";

/// The result of a request.
struct Event {
    began: Instant,
    ended: Instant,
    /// The operation, or the title of the task that it creates.
    what: String,
    /// The error code; empty on success.
    code: String,
}

/// Creates tasks, reads and logs in until `stop` is set. Every other task has a client-chosen id; the others
/// would be stored twice if the server retried their creation.
fn work(server: &Server, token: &str, client: usize, stop: &AtomicBool, events: &Mutex<Vec<Event>>) {
    for number in (client..).step_by(CLIENTS) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let (title, began) = (format!("task {number}"), Instant::now());
        let mut input = json!({ "title": title });
        if (number / CLIENTS).is_multiple_of(2) {
            input["id"] = json!(chosen_id(number));
        }
        let (what, response) = match number / CLIENTS % 10 {
            3 => ("login".to_owned(), login(server, "bob", PASSWORD)),
            6 => ("query".to_owned(), server.post(token, ME, &json!({}))),
            _ => (title, server.post(token, CREATE, &json!({ "input": input }))),
        };
        let code = code(&response);
        assert_eq!(response.status, if code.is_empty() { 200 } else { 503 }, "{what}: {}", response.body);
        let event = Event { began, ended: Instant::now(), what, code };
        events.lock().expect("no holder panics").push(event);
        // A client waits longer after an error.
        thread::sleep(Duration::from_millis(if response.status == 200 { 5 } else { 50 }));
    }
}

/// Waits until PostgreSQL accepts a connection, and returns that time.
fn wait_until_accepting(url: &str) -> Instant {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be created");
    let connect = || {
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(1).acquire_timeout(Duration::from_millis(50));
        runtime.block_on(sea_orm::Database::connect(options)).is_ok()
    };
    wait_until("PostgreSQL accepts connections", connect);
    Instant::now()
}

/// The times of one outage: the kill, its end, the restart, and when PostgreSQL accepted connections again.
struct Outage {
    began: Instant,
    stopped: Instant,
    restarted: Instant,
    accepting: Instant,
}

/// Stops the clients when it is dropped, also if the test fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn requests_fail_only_while_a_killed_database_is_down() {
    let Some(mut database) = postgres::dedicated_server() else { return };
    let env = ServerEnv::new()
        .with("DATABASE_URL", &database.url)
        .with("BETTER_AUTH_SECRET", SECRET)
        .with("LIMIT_CREDENTIALS_PER_MINUTE", "0");
    let server = env.start(&[]);
    let token = server.register("ann");
    // Another user logs in, because many logins of one account would revoke its first session.
    server.register("bob");
    let (stop, events) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let outages = thread::scope(|scope| {
        let _stop_on_drop = StopOnDrop(&stop);
        for client in 0..CLIENTS {
            let (server, token, stop, events) = (&server, &token, &stop, &events);
            scope.spawn(move || work(server, token, client, stop, events));
        }
        let outages = [true, false].map(|with_sigkill| {
            thread::sleep(Duration::from_secs(1));
            let began = Instant::now();
            database.kill(with_sigkill);
            let stopped = Instant::now();
            assert_eq!((server.get("/healthz").status, server.get("/readyz").status), (200, 503));
            thread::sleep(Duration::from_secs(2).saturating_sub(stopped.elapsed()));
            let restarted = Instant::now();
            database.start();
            let accepting = wait_until_accepting(&database.url);
            Outage { began, stopped, restarted, accepting }
        });
        thread::sleep(Duration::from_secs(2));
        outages
    });
    assert_eq!(server.get("/readyz").status, 200);
    let events = events.into_inner().expect("no holder panics");
    let codes: Vec<_> =
        events.iter().map(|event| event.code.as_str()).filter(|code| !code.is_empty()).collect();
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == "SERVICE_UNAVAILABLE"), "{codes:?}");
    let longest = events.iter().map(|event| event.ended - event.began).max().expect("there were requests");
    println!("{} requests, {} refused, the longest took {longest:?}", events.len(), codes.len());
    assert!(longest < Duration::from_secs(10), "{longest:?}");

    for (index, outage) in outages.iter().enumerate() {
        let until = outages.get(index + 1).map_or_else(Instant::now, |next| next.began);
        let away =
            events.iter().filter(|event| event.began > outage.stopped && event.ended < outage.restarted);
        assert!(away.clone().all(|event| !event.code.is_empty()), "a request succeeded without the database");
        let successes = events.iter().filter(|event| event.code.is_empty() && event.ended > outage.restarted);
        let first = successes.map(|event| event.ended).min().expect("a request succeeds again");
        println!(
            "outage of {:?}, first success {:?} later",
            outage.accepting - outage.stopped,
            first.saturating_duration_since(outage.accepting)
        );
        // The last request that fails counts, not the end of the first one that succeeds: that one may only be slow.
        let failures = events.iter().filter(|event| !event.code.is_empty() && event.ended < until);
        let last_failed = failures.map(|event| event.began).max().expect("requests failed");
        let failing = last_failed.saturating_duration_since(outage.accepting);
        assert!(failing < Duration::from_secs(1), "{failing:?}");
        assert!(first < outage.accepting + Duration::from_secs(5), "{:?}", first - outage.accepting);
        let late = events
            .iter()
            .filter(|event| event.began > first && event.ended < until && !event.code.is_empty());
        let late: Vec<_> = late.map(|event| (&event.what, event.began - first)).collect();
        assert!(late.is_empty(), "errors after the first success: {late:?}");
    }

    let mut counts = HashMap::new();
    for task in all_tasks(&server, &token) {
        *counts.entry(task["title"].as_str().expect("a title").to_owned()).or_insert(0) += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "a task is stored twice");
    let made = events.iter().filter(|event| event.what.starts_with("task") && event.code.is_empty());
    let lost: Vec<_> = made.map(|event| &event.what).filter(|title| !counts.contains_key(*title)).collect();
    assert!(lost.is_empty(), "acknowledged but not stored: {lost:?}");
    assert!(!server.log().contains("panic"));
}
