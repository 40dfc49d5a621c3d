//! Clients that leave in the middle of a write.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::{CREATE, all_tasks, chosen_id};
use crate::support::{Place, PostgresDatabase, Server, json, operation, wait_until};

const TASKS: usize = 2_000;
const CLIENTS: usize = 50;

/// A number below a bound; the same each time.
fn chance(what: &str, task: usize, bound: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    (what, task).hash(&mut hasher);
    usize::try_from(hasher.finish() % (bound as u64)).expect("it is below the bound")
}

fn title(task: usize) -> String {
    format!("number {task}")
}

/// Asks for a task and leaves, before or after the request is whole. Whether it heard of the task.
fn ask_and_leave(server: &Server, token: &str, task: usize) -> bool {
    let input = json!({ "id": chosen_id(task), "title": title(task) });
    let request = operation(token, CREATE, &json!({ "input": input }));
    let mut client = server.connect();
    if chance("reset", task, 2) == 0 {
        SockRef::from(client.stream()).set_linger(Some(Duration::ZERO)).expect("the socket takes it");
    }
    let stays = chance("stays", task, 8) == 0;
    let sends_all = stays || chance("sends all", task, 4) > 0;
    client.send(&request[..if sends_all { request.len() } else { chance("length", task, request.len()) }]);
    if stays {
        return client.reply().json()["errors"].is_null();
    }
    thread::sleep(Duration::from_micros(chance("pause", task, 20_000) as u64));
    false
}

/// What the second start finds is asked for: the first has ended with all that it had begun.
fn what_clients_leave_in_the_middle_of_is_whole_or_not_there(place: &Place, open: impl Fn() -> usize) {
    let server = place.start(&[]);
    let token = server.register("ann");
    let acknowledged: Vec<usize> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let tasks = (client..TASKS).step_by(CLIENTS);
                scope.spawn(|| tasks.filter(|task| ask_and_leave(&server, &token, *task)).collect::<Vec<_>>())
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("the server answers")).collect()
    });
    assert_eq!(server.get("/readyz").status, 200);
    wait_until("no transaction is open", || open() == 0);
    let log = server.stop_gently();
    assert!(!log.contains("panic"), "{log}");

    let tasks = all_tasks(&place.start(&[]), &token);
    let found: HashMap<_, _> = tasks.iter().map(|task| (task["id"].as_str().expect("an id"), task)).collect();
    assert_eq!(found.len(), tasks.len(), "a task is there twice");
    let mut there = 0;
    for task in 0..TASKS {
        if let Some(found) = found.get(chosen_id(task).as_str()) {
            assert_eq!((&found["title"], &found["version"]), (&json!(title(task)), &json!(1)));
            there += 1;
        }
    }
    assert_eq!(there, tasks.len(), "a task is there that nobody asked for");
    let lost: Vec<_> =
        acknowledged.iter().filter(|task| !found.contains_key(chosen_id(**task).as_str())).collect();
    assert!(lost.is_empty(), "{lost:?} were acknowledged");
    println!("{} acknowledged, {there} of {TASKS} there", acknowledged.len());
    assert!(there > acknowledged.len() && there < TASKS, "{there} of {}", acknowledged.len());
}

#[test]
fn what_clients_leave_in_the_middle_of_is_whole_or_not_there_on_sqlite() {
    what_clients_leave_in_the_middle_of_is_whole_or_not_there(
        &Place::new().with("SHUTDOWN_GRACE", "0s"),
        || 0,
    );
}

#[test]
fn what_clients_leave_in_the_middle_of_is_whole_or_not_there_on_postgres() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database).with("SHUTDOWN_GRACE", "0s");
    what_clients_leave_in_the_middle_of_is_whole_or_not_there(&place, || database.transactions_left_open());
}
