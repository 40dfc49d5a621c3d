//! Deletion of a large account: it does not delay other users, and continues after a kill of the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio::runtime::Runtime;

use crate::support::{PASSWORD, PostgresDatabase, Server, ServerEnv, Value, json, wait_until};

const CREATE: &str = "mutation($title: String!) { createTask(input: { title: $title }) { task { id } } }";
const DELETE: &str = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
const TASKS: usize = 1_000;
/// The time limit of another user's write during the deletion, on a machine that is busy with other tests.
const MAX_WRITE_LATENCY: Duration = Duration::from_secs(3);

/// A direct connection to the database of a server.
struct DirectConnection {
    runtime: Runtime,
    connection: DatabaseConnection,
}

impl DirectConnection {
    fn open(url: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime can be created");
        let connection =
            runtime.block_on(sea_orm::Database::connect(url)).expect("the database accepts connections");
        Self { runtime, connection }
    }

    fn execute_sql(&self, sql: &str) {
        self.runtime.block_on(self.connection.execute_unprepared(sql)).expect("the statement is valid");
    }

    fn count(&self, from: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {from}");
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        let row =
            self.runtime.block_on(self.connection.query_one_raw(statement)).expect("the statement is valid");
        row.expect("the query returns a row").try_get_by_index(0).expect("the count is a number")
    }

    /// Copies the only task of the table until there are [`TASKS`] tasks.
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
        self.execute_sql(&format!(
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

/// Creates tasks until `stop` is set. Returns their number and the latency of the slowest write.
fn create_until_stopped(server: &Server, token: &str, stop: &AtomicBool) -> (usize, Duration) {
    let (mut created, mut slowest) = (0, Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        create(server, token, "bob's");
        slowest = slowest.max(begun.elapsed());
        created += 1;
    }
    (created, slowest)
}

fn a_large_account_is_deleted_in_batches(env: &ServerEnv, url: &str) {
    let server = env.start(&[]);
    let (ann, bob) = (server.register("ann"), server.register("bob"));
    create(&server, &ann, "ann's");
    server.stop();
    let rows = DirectConnection::open(url);
    rows.copy_task(COLUMNS);

    let server = env.start(&[]);
    let stop = AtomicBool::new(false);
    let (latency, (mut created, slowest)) = thread::scope(|scope| {
        let bob = scope.spawn(|| create_until_stopped(&server, &bob, &stop));
        let begun = Instant::now();
        let body = server.post(&ann, DELETE, &json!({ "password": PASSWORD })).json();
        let latency = begun.elapsed();
        // Some of the rows are deleted and others are not.
        wait_until("the deletion has begun", || rows.count("tasks WHERE title = 'ann''s'") < TASKS as i64);
        stop.store(true, Ordering::Relaxed);
        assert!(body.get("errors").is_none(), "{body}");
        (latency, bob.join().expect("every task is created"))
    });
    server.signal("KILL");
    drop(server);
    let left = rows.count("tasks WHERE title = 'ann''s'");
    println!(
        "deleteAccount took {latency:?}, the slowest createTask {slowest:?}, {left} tasks left at the kill"
    );
    assert!(left > 0, "the deletion ended before the kill");
    assert!(slowest < MAX_WRITE_LATENCY, "{slowest:?}");

    let server = env.start(&[]);
    assert_eq!(server.post(&ann, "{ me { id } }", &json!({})).status, 401);
    create(&server, &bob, "bob's");
    created += 1;
    wait_until("the rows are deleted", || rows.count("users") == 1);
    assert_eq!(rows.count("tasks WHERE title = 'ann''s'"), 0);
    assert_eq!(rows.count("tasks"), created as i64);
}

#[test]
fn a_large_account_is_deleted_in_batches_on_sqlite() {
    let env = ServerEnv::new();
    let url = format!("sqlite://{}", env.path("data/taskhold.db").display());
    a_large_account_is_deleted_in_batches(&env, &url);
}

#[test]
fn a_large_account_is_deleted_in_batches_on_postgres() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_large_account_is_deleted_in_batches(&ServerEnv::on(&database), &database.url);
}
