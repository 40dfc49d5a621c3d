//! The database is killed while the server works. The other way round: `faults::kill`.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{CREATE, all_tasks, chosen_id, code, login};
use crate::support::{PASSWORD, Place, SECRET, Server, json, postgres, wait_until};

const CLIENTS: usize = 8;
const ME: &str = "{ me { username } }";

/// What came of a request.
struct Event {
    began: Instant,
    ended: Instant,
    /// Of what it did; the title of a task, where it made one.
    what: String,
    /// Empty for success.
    code: String,
}

/// Works until it is told to stop: makes tasks, reads, and logs in. Every other task has an id that the
/// client chose; the others would be there twice if the server tried them again.
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
        let (what, reply) = match number / CLIENTS % 10 {
            3 => ("login".to_owned(), login(server, "bob", PASSWORD)),
            6 => ("query".to_owned(), server.post(token, ME, &json!({}))),
            _ => (title, server.post(token, CREATE, &json!({ "input": input }))),
        };
        let code = code(&reply);
        assert_eq!(reply.status, if code.is_empty() { 200 } else { 503 }, "{what}: {}", reply.body);
        let event = Event { began, ended: Instant::now(), what, code };
        events.lock().expect("nobody panics with it").push(event);
        // Who was refused does not come back at once.
        thread::sleep(Duration::from_millis(if reply.status == 200 { 5 } else { 50 }));
    }
}

/// When a plain connection works again.
fn accepts_again(url: &str) -> Instant {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let connect = || {
        let mut options = sea_orm::ConnectOptions::new(url);
        options.max_connections(1).acquire_timeout(Duration::from_millis(50));
        runtime.block_on(sea_orm::Database::connect(options)).is_ok()
    };
    wait_until("PostgreSQL accepts connections", connect);
    Instant::now()
}

/// A time in which the database was away, and when the first request succeeded after it.
struct Outage {
    began: Instant,
    gone: Instant,
    returns: Instant,
    back: Instant,
}

/// Lets the clients end, also when the test fails.
struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_database_that_is_killed_under_load_costs_nothing_but_the_time_it_is_away() {
    let Some(mut database) = postgres::own_server() else { return };
    let place = Place::new()
        .with("DATABASE_URL", &database.url)
        .with("BETTER_AUTH_SECRET", SECRET)
        .with("LIMIT_CREDENTIALS_PER_MINUTE", "0");
    let server = place.start(&[]);
    let token = server.register("ann");
    // Somebody else logs in: the many sessions of one account would end its first one.
    server.register("bob");
    let (stop, events) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let outages = thread::scope(|scope| {
        let _end = EndOf(&stop);
        for client in 0..CLIENTS {
            let (server, token, stop, events) = (&server, &token, &stop, &events);
            scope.spawn(move || work(server, token, client, stop, events));
        }
        let outages = [true, false].map(|killed| {
            thread::sleep(Duration::from_secs(1));
            let began = Instant::now();
            database.crash(killed);
            let gone = Instant::now();
            assert_eq!((server.get("/healthz").status, server.get("/readyz").status), (200, 503));
            thread::sleep(Duration::from_secs(2).saturating_sub(gone.elapsed()));
            let returns = Instant::now();
            database.start();
            let back = accepts_again(&database.url);
            Outage { began, gone, returns, back }
        });
        thread::sleep(Duration::from_secs(2));
        outages
    });
    assert_eq!(server.get("/readyz").status, 200);
    let events = events.into_inner().expect("nobody panics with it");
    let codes: Vec<_> =
        events.iter().map(|event| event.code.as_str()).filter(|code| !code.is_empty()).collect();
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == "SERVICE_UNAVAILABLE"), "{codes:?}");
    let longest = events.iter().map(|event| event.ended - event.began).max().expect("there were requests");
    println!("{} requests, {} refused, the longest took {longest:?}", events.len(), codes.len());
    assert!(longest < Duration::from_secs(10), "{longest:?}");

    for (index, outage) in outages.iter().enumerate() {
        let until = outages.get(index + 1).map_or_else(Instant::now, |next| next.began);
        let away = events.iter().filter(|event| event.began > outage.gone && event.ended < outage.returns);
        assert!(away.clone().all(|event| !event.code.is_empty()), "something worked without the database");
        let successes = events.iter().filter(|event| event.code.is_empty() && event.ended > outage.returns);
        let first = successes.map(|event| event.ended).min().expect("it works again");
        println!(
            "away {:?}, first success {:?} after that",
            outage.back - outage.gone,
            first.saturating_duration_since(outage.back)
        );
        assert!(first < outage.back + Duration::from_secs(1), "{:?}", first - outage.back);
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
    assert!(counts.values().all(|count| *count == 1), "a task is there twice");
    let made = events.iter().filter(|event| event.what.starts_with("task") && event.code.is_empty());
    let lost: Vec<_> = made.map(|event| &event.what).filter(|title| !counts.contains_key(*title)).collect();
    assert!(lost.is_empty(), "{lost:?} were acknowledged");
    assert!(!server.log().contains("panic"));
}
