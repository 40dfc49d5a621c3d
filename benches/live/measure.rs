//! The measurements, each of them the same for taskhold and for the peer.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::data::{AWAY, MISSED_CHANGES, OWNERS, TASKS_PER_OWNER};
use crate::figures::Distribution;
use crate::machine;
use crate::sockets::Sockets;
use crate::support::{Client, HttpResponse};
use crate::target::{Instance, Target};

/// The idle subscribers, each of another user.
pub const IDLE_SUBSCRIBERS: usize = 5_000;
/// The listeners of each of [`OWNERS`] while changes are made at a constant rate.
pub const LISTENERS_PER_OWNER: usize = 10;
/// The listeners of a single user.
pub const LISTENERS: usize = OWNERS * LISTENERS_PER_OWNER;
/// The changes at a constant rate, and the time between two of them.
const CHANGES: usize = 1_000;
const INTERVAL: Duration = Duration::from_millis(10);
/// The connections that make them, one after the other.
const WRITERS: usize = 4;
/// The changes before those that are measured.
const WARM_UP_CHANGES: usize = 100;
/// The changes that are made one at a time, and the time after each.
const SINGLE_CHANGES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// How long the memory of a process may take to become constant.
const SETTLE_TIME: Duration = Duration::from_secs(5);
/// The time limit for a response.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Many subscribers to whom nothing happens.
pub struct Idle {
    pub bytes_per_subscriber: f64,
    /// The time in which all of them could begin to listen.
    pub opening: Duration,
    /// From the sending of a change of one user to its event.
    pub delay: Distribution,
}

pub fn idle(target: &dyn Target) -> Idle {
    let instance = target.start();
    // What a process takes for its first client is no memory of a subscriber.
    let _first = Sockets::open(&instance.address, [target.subscriber(AWAY, None)]);
    thread::sleep(Duration::from_secs(1));
    let before = machine::resident_bytes(instance.pid);
    let begun = Instant::now();
    let subscribers = (0..IDLE_SUBSCRIBERS).map(|user| target.subscriber(user, None));
    let sockets = Sockets::open(&instance.address, subscribers);
    let opening = begun.elapsed();
    thread::sleep(SETTLE_TIME);
    let grown = machine::resident_bytes(instance.pid) - before;
    let users = (0..SINGLE_CHANGES).map(|trial| trial * 197 % IDLE_SUBSCRIBERS);
    let delay = single_changes(target, &instance, &sockets, users, 1);
    Idle { bytes_per_subscriber: grown / IDLE_SUBSCRIBERS as f64, opening, delay }
}

/// The delays from the sending of a change to the last of its receipts, for a change of each of these users.
fn single_changes(
    target: &dyn Target,
    instance: &Instance,
    sockets: &Sockets,
    users: impl IntoIterator<Item = usize>,
    listeners: usize,
) -> Distribution {
    let mut client = Client::connect(&instance.address, TIME_LIMIT);
    let delays = users.into_iter().zip(new_numbers(SINGLE_CHANGES)).map(|(user, number)| {
        thread::sleep(PAUSE);
        let sent = Instant::now();
        post(&mut client, &target.change((user, 0), &number.to_string()));
        let receipts = sockets.receive(listeners);
        receipts.iter().map(|receipt| receipt.at - sent).max().expect("there are listeners")
    });
    Distribution::of(delays.collect::<Vec<_>>())
}

/// One change to all listeners of one user: the delays until the last of them has it.
pub fn fan_out(target: &dyn Target) -> Distribution {
    let instance = target.start();
    let subscribers = (0..LISTENERS).map(|_| target.subscriber(0, None));
    let sockets = Sockets::open(&instance.address, subscribers);
    single_changes(target, &instance, &sockets, [0; SINGLE_CHANGES], LISTENERS)
}

/// Changes at a constant rate, each of which has several listeners.
pub struct Delivery {
    /// From the time at which a change was due to be sent to each of its receipts.
    pub from_sending: Distribution,
    /// From the response to the change to each of its receipts; zero if the event came first.
    pub from_response: Distribution,
    /// Processor time for each event, of the process that sends it and of all clients together.
    pub server_time: Duration,
    pub client_time: Duration,
    /// The part of all processors' time in which they had nothing to do.
    pub idle: f64,
}

/// Measures the delivery on the instance that makes the changes, or on a second one.
pub fn delivery(target: &dyn Target, on_second_instance: bool) -> Delivery {
    let writing = target.start();
    let second = on_second_instance.then(|| target.start());
    let listening = second.as_ref().unwrap_or(&writing);
    let subscribers = (0..LISTENERS).map(|number| target.subscriber(number % OWNERS, None));
    let sockets = Sockets::open(&listening.address, subscribers);
    write(target, &writing.address, new_numbers(WARM_UP_CHANGES));
    sockets.receive(WARM_UP_CHANGES * LISTENERS_PER_OWNER);

    let now = || (machine::process_time(listening.pid), sockets.processor_time(), machine::idle_time());
    let (begun, before) = (Instant::now(), now());
    let numbers = new_numbers(CHANGES);
    let written = write(target, &writing.address, numbers.clone());
    let receipts = sockets.receive(CHANGES * LISTENERS_PER_OWNER);
    let (after, elapsed) = (now(), begun.elapsed());
    assert_eq!(receipts.len(), CHANGES * LISTENERS_PER_OWNER, "a change was received twice");

    let delays = |since: fn(&Written) -> Instant| {
        let delay = |number: usize, at: Instant| {
            at.saturating_duration_since(since(&written[number - numbers.start]))
        };
        Distribution::of(receipts.iter().map(|receipt| delay(receipt.number, receipt.at)))
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    Delivery {
        from_sending: delays(|written| written.due),
        from_response: delays(|written| written.answered),
        server_time: (after.0 - before.0) / receipts.len() as u32,
        client_time: (after.1 - before.1) / receipts.len() as u32,
        idle: (after.2 - before.2).as_secs_f64() / elapsed.as_secs_f64() / processors as f64,
    }
}

struct Written {
    due: Instant,
    answered: Instant,
}

/// Makes changes at a constant rate, of one user after the other. A change that is sent late, because the one before
/// took long, counts from the time at which it was due.
fn write(target: &dyn Target, address: &str, numbers: Range<usize>) -> Vec<Written> {
    let begun = Instant::now() + INTERVAL;
    let first = numbers.start;
    let worker = |worker: usize| {
        let mut client = Client::connect(address, TIME_LIMIT);
        let change = |number: usize| {
            let due = begun + INTERVAL * (number - first) as u32;
            // The next change of the same task follows after ten seconds, so that each change has its own entry.
            let task = (number % OWNERS, number / OWNERS % TASKS_PER_OWNER);
            let request = target.change(task, &number.to_string());
            thread::sleep(due.saturating_duration_since(Instant::now()));
            post(&mut client, &request);
            (number, Written { due, answered: Instant::now() })
        };
        numbers.clone().skip(worker).step_by(WRITERS).map(change).collect::<Vec<_>>()
    };
    let mut written = thread::scope(|scope| {
        let start = |number| {
            scope.spawn({
                let worker = &worker;
                move || worker(number)
            })
        };
        let workers: Vec<_> = (0..WRITERS).map(start).collect();
        workers.into_iter().flat_map(|each| each.join().expect("every change is made")).collect::<Vec<_>>()
    });
    written.sort_by_key(|(number, _)| *number);
    written.into_iter().map(|(_, written)| written).collect()
}

/// Numbers of changes that were not used before. A title that does not change is no change.
fn new_numbers(count: usize) -> Range<usize> {
    static NEXT: AtomicUsize = AtomicUsize::new(2);
    let first = NEXT.fetch_add(count, Ordering::Relaxed);
    first..first + count
}

/// The cursor of a client that has everything.
pub fn cursor(target: &dyn Target) -> String {
    let instance = target.start();
    let mut client = Client::connect(&instance.address, TIME_LIMIT);
    target.read_page(post(&mut client, &target.page(AWAY, None)).json()).cursor
}

/// Reads the missed changes in pages of 100: the time that it takes.
pub fn catch_up_by_query(target: &dyn Target, cursor: &str) -> Duration {
    let instance = target.start();
    let mut client = Client::connect(&instance.address, TIME_LIMIT);
    let (begun, mut cursor, mut changes) = (Instant::now(), cursor.to_owned(), 0);
    loop {
        let page = target.read_page(post(&mut client, &target.page(AWAY, Some(&cursor))).json());
        changes += page.changes;
        cursor = page.cursor;
        if !page.has_more {
            assert_eq!(changes, MISSED_CHANGES);
            return begun.elapsed();
        }
    }
}

/// Receives the missed changes by a subscription with events of 100 changes: the time from the handshake on.
pub fn catch_up_by_subscription(target: &dyn Target, cursor: &str) -> Duration {
    let instance = target.start();
    let begun = Instant::now();
    let sockets = Sockets::open(&instance.address, [target.subscriber(AWAY, Some(cursor))]);
    let last = sockets.receive(MISSED_CHANGES).iter().map(|receipt| receipt.at).max();
    last.expect("there are changes") - begun
}

fn post(client: &mut Client, request: &str) -> HttpResponse {
    client.send(request);
    let response = client.read_response();
    assert!(response.status == 200 && !response.body.contains("\"errors\":"), "{}", response.body);
    response
}
