//! Clients that disconnect during a write: the task is then stored completely or not at all.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::process::{CREATE, all_tasks, chosen_id};
use crate::support::{PostgresDatabase, Server, ServerEnv, json, operation, wait_until};

const TASKS: usize = 2_000;
const CLIENTS: usize = 50;

/// A pseudo-random number below a bound, the same in every run.
fn pseudo_random(what: &str, task: usize, bound: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    (what, task).hash(&mut hasher);
    usize::try_from(hasher.finish() % (bound as u64)).expect("it is below the bound")
}

fn title(task: usize) -> String {
    format!("number {task}")
}

/// Sends createTask and disconnects before, during or after the request. Whether the write was acknowledged.
fn create_and_disconnect(server: &Server, token: &str, task: usize) -> bool {
    let input = json!({ "id": chosen_id(task), "title": title(task) });
    let request = operation(token, CREATE, &json!({ "input": input }));
    let mut client = server.connect();
    if pseudo_random("reset", task, 2) == 0 {
        SockRef::from(client.stream())
            .set_linger(Some(Duration::ZERO))
            .expect("the socket accepts the option");
    }
    let stays = pseudo_random("stays", task, 8) == 0;
    let sends_all = stays || pseudo_random("sends all", task, 4) > 0;
    client.send(
        &request[..if sends_all { request.len() } else { pseudo_random("length", task, request.len()) }],
    );
    if stays {
        return client.read_response().json()["errors"].is_null();
    }
    thread::sleep(Duration::from_micros(pseudo_random("pause", task, 20_000) as u64));
    false
}

/// Checks the database after a restart, when the first process has finished all writes that it had begun.
fn a_task_whose_client_disconnects_is_stored_completely_or_not_at_all(
    env: &ServerEnv,
    open: impl Fn() -> usize,
) {
    let server = env.start(&[]);
    let token = server.register("ann");
    let acknowledged: Vec<usize> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let tasks = (client..TASKS).step_by(CLIENTS);
                scope.spawn(|| {
                    tasks.filter(|task| create_and_disconnect(&server, &token, *task)).collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("the server responds")).collect()
    });
    assert_eq!(server.get("/readyz").status, 200);
    wait_until("no transaction is open", || open() == 0);
    let log = server.stop_gracefully();
    assert!(!log.contains("panic"), "{log}");

    let tasks = all_tasks(&env.start(&[]), &token);
    let found: HashMap<_, _> = tasks.iter().map(|task| (task["id"].as_str().expect("an id"), task)).collect();
    assert_eq!(found.len(), tasks.len(), "a task is stored twice");
    let mut stored = 0;
    for task in 0..TASKS {
        if let Some(found) = found.get(chosen_id(task).as_str()) {
            assert_eq!((&found["title"], &found["version"]), (&json!(title(task)), &json!(1)));
            stored += 1;
        }
    }
    assert_eq!(stored, tasks.len(), "a stored task was never requested");
    let lost: Vec<_> =
        acknowledged.iter().filter(|task| !found.contains_key(chosen_id(**task).as_str())).collect();
    assert!(lost.is_empty(), "acknowledged but not stored: {lost:?}");
    println!("{} acknowledged, {stored} of {TASKS} stored", acknowledged.len());
    assert!(
        stored > acknowledged.len() && stored < TASKS,
        "{stored} stored, {} acknowledged",
        acknowledged.len()
    );
}

#[test]
fn a_task_whose_client_disconnects_is_stored_completely_or_not_at_all_on_sqlite() {
    a_task_whose_client_disconnects_is_stored_completely_or_not_at_all(
        &ServerEnv::new().with("SHUTDOWN_GRACE", "0s"),
        || 0,
    );
}

#[test]
fn a_task_whose_client_disconnects_is_stored_completely_or_not_at_all_on_postgres() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database).with("SHUTDOWN_GRACE", "0s");
    a_task_whose_client_disconnects_is_stored_completely_or_not_at_all(&env, || database.idle_transactions());
}
