//! The end of a large account, seen by others, and by a server that is killed in the middle of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio::runtime::Runtime;

use crate::support::{PASSWORD, PostgresDatabase, Server, ServerEnv, Value, json, wait_until};

const CREATE: &str = "mutation($title: String!) { createTask(input: { title: $title }) { task { id } } }";
const DELETE: &str = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
const TASKS: usize = 1_000;
/// What a write of somebody else may take meanwhile.
const BOUND: Duration = Duration::from_secs(1);

/// The database of a server that is stopped, or at work.
struct Rows {
    runtime: Runtime,
    connection: DatabaseConnection,
}

impl Rows {
    fn of(url: &str) -> Self {
        let runtime = Runtime::new().expect("threads can be started");
        let connection = runtime.block_on(sea_orm::Database::connect(url)).expect("the database answers");
        Self { runtime, connection }
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(self.connection.execute_unprepared(sql)).expect("the statement is valid");
    }

    fn count(&self, of: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {of}");
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        let row = self.runtime.block_on(self.connection.query_one_raw(statement)).expect("it is valid");
        row.expect("there is a count").try_get_by_index(0).expect("it is a number")
    }

    /// Gives the only task that there is very many brothers.
    fn copy_task(&self, columns: &str) {
        let (id, numbers) = match self.connection.get_database_backend() {
            sea_orm::DbBackend::Postgres => ("gen_random_uuid()", format!("generate_series(2, {TASKS})")),
            _ => (
                "randomblob(16)",
                format!(
                    "(WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {TASKS}) SELECT i FROM n)"
                ),
            ),
        };
        self.execute(&format!(
            "INSERT INTO tasks (id, {columns}) SELECT {id}, {columns} FROM tasks, {numbers} AS number"
        ));
    }
}

const COLUMNS: &str = "owner_id, title, title_key, description, status, priority, labels, labels_key, search_key, \
                       created_at, updated_at, version";

fn create(server: &Server, token: &str, title: &str) -> Value {
    let body = server.post(token, CREATE, &json!({ "title": title })).json();
    assert!(body.get("errors").is_none(), "{body}");
    body
}

/// Makes tasks until it is told to stop; how many, and how long the slowest took.
fn work(server: &Server, token: &str, stop: &AtomicBool) -> (usize, Duration) {
    let (mut made, mut slowest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        create(server, token, "bob's");
        slowest = slowest.max(begun.elapsed());
        made += 1;
    }
    (made, slowest)
}

fn a_large_account_goes_in_steps(place: &ServerEnv, url: &str) {
    let server = place.start(&[]);
    let (ann, bob) = (server.register("ann"), server.register("bob"));
    create(&server, &ann, "ann's");
    server.stop();
    let rows = Rows::of(url);
    rows.copy_task(COLUMNS);

    let server = place.start(&[]);
    let stop = AtomicBool::new(false);
    let (answered, (mut made, slowest)) = thread::scope(|scope| {
        let bob = scope.spawn(|| work(&server, &bob, &stop));
        let begun = Instant::now();
        let body = server.post(&ann, DELETE, &json!({ "password": PASSWORD })).json();
        let answered = begun.elapsed();
        // Some of the rows are gone, and others are not.
        wait_until("the deletion goes on", || rows.count("tasks WHERE title = 'ann''s'") < TASKS as i64);
        stop.store(true, Ordering::Relaxed);
        assert!(body.get("errors").is_none(), "{body}");
        (answered, bob.join().expect("every task is made"))
    });
    server.signal("KILL");
    drop(server);
    let left = rows.count("tasks WHERE title = 'ann''s'");
    println!(
        "answered in {answered:?}, slowest createTask beside it {slowest:?}, {left} tasks left at the kill"
    );
    assert!(left > 0, "it was over before the kill");
    assert!(slowest < BOUND, "{slowest:?}");

    let server = place.start(&[]);
    assert_eq!(server.post(&ann, "{ me { id } }", &json!({})).status, 401);
    create(&server, &bob, "bob's");
    made += 1;
    wait_until("the rows are deleted", || rows.count("users") == 1);
    assert_eq!(rows.count("tasks WHERE title = 'ann''s'"), 0);
    assert_eq!(rows.count("tasks"), made as i64);
}

#[test]
fn a_large_account_goes_in_steps_on_sqlite() {
    let place = ServerEnv::new();
    let url = format!("sqlite://{}", place.path("data/taskhold.db").display());
    a_large_account_goes_in_steps(&place, &url);
}

#[test]
fn a_large_account_goes_in_steps_on_postgres() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_large_account_goes_in_steps(&ServerEnv::on(&database), &database.url);
}
