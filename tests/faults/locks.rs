//! Rows that somebody else has locked: the write that needs them is refused soon, and others do not notice.

use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::{Account, code};
use crate::support::{Place, PostgresDatabase, Server, Value, json};

/// 250 ms in a statement that is shared, 2 s alone, and what a busy machine adds.
const LOCK_LIMIT: Duration = Duration::from_secs(3);
/// PostgreSQL counts again from zero when one that waits for a row gives way to the next.
const NEXT_LOCK_LIMIT: Duration = Duration::from_secs(5);
/// More at once than statements that several users share.
const ANNS_WRITES: usize = 5;
/// A statement that several users share waits for 250 ms at most.
const OTHERS_LIMIT: Duration = Duration::from_secs(1);

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
const UPDATE: &str = "mutation($id: ID!, $input: UpdateTaskInput!) {
    updateTask(id: $id, input: $input) { task { id } } }";

/// Two users of one server on PostgreSQL, of whom ann meets a lock.
struct Scene {
    database: PostgresDatabase,
    server: Server,
    ann: Account,
    bob: Account,
}

impl Scene {
    fn new() -> Option<Self> {
        let database = PostgresDatabase::new()?;
        let server = Place::on(&database).start(&[]);
        let [ann, bob] = ["ann", "bob"].map(|name| Account::register(&server, name));
        Some(Self { database, server, ann, bob })
    }

    /// While a lock is held, ann's write is refused in time, and what bob does is answered soon.
    fn only_ann_waits_for(&self, lock: &str, query: &str, variables: &Value) {
        let bobs_task = self.bob.creates_task(&self.server);
        let mut session = self.database.session();
        session.run(&format!("BEGIN; {lock}"));
        let (refused, slowest) = thread::scope(|scope| {
            let writes = (0..ANNS_WRITES).map(|_| scope.spawn(|| self.ann_writes(query, variables)));
            let writes: Vec<_> = writes.collect();
            let mut slowest = Duration::ZERO;
            while !writes.iter().all(ScopedJoinHandle::is_finished) {
                slowest = slowest.max(self.bob_works(&bobs_task));
            }
            let refused = writes.into_iter().map(|write| write.join().expect("ann is answered"));
            (refused.collect::<Vec<_>>(), slowest)
        });
        println!("ann: {refused:?}; bob's slowest: {slowest:?}");
        assert!(slowest < OTHERS_LIMIT, "bob has waited for {slowest:?}");
        assert!(refused.iter().all(|(code, _)| code == "SERVICE_UNAVAILABLE"), "{refused:?}");
        assert!(refused.iter().all(|(_, time)| *time < NEXT_LOCK_LIMIT), "{refused:?}");
        assert!(refused.iter().any(|(_, time)| *time < LOCK_LIMIT), "{refused:?}");

        session.run("ROLLBACK");
        let reply = self.server.post(&self.ann.token, query, variables);
        assert_eq!(code(&reply), "", "{}", reply.body);
    }

    fn ann_writes(&self, query: &str, variables: &Value) -> (String, Duration) {
        let began = Instant::now();
        let reply = self.server.connect_patiently().post(&self.ann.token, query, variables);
        (code(&reply), began.elapsed())
    }

    /// The longest that bob waits for a createTask, a task and me at once.
    fn bob_works(&self, task: &Value) -> Duration {
        let variables = json!({ "input": { "title": "bob's" }, "id": task });
        let requests = [CREATE, "query($id: ID!) { task(id: $id) { id } }", "{ me { id } }"];
        let began = Instant::now();
        thread::scope(|scope| {
            for query in requests {
                scope.spawn(|| {
                    let reply = self.server.connect_patiently().post(&self.bob.token, query, &variables);
                    assert_eq!(code(&reply), "", "{}", reply.body);
                });
            }
        });
        began.elapsed()
    }
}

#[test]
fn a_locked_task_delays_nobody_but_its_owner() {
    let Some(scene) = Scene::new() else { return };
    let id = scene.ann.creates_task(&scene.server);
    let lock = format!("SELECT * FROM tasks WHERE id = '{}' FOR UPDATE", id.as_str().unwrap_or_default());
    let variables = json!({ "id": id, "input": { "description": "changed" } });
    scene.only_ann_waits_for(&lock, UPDATE, &variables);
}

#[test]
fn a_locked_account_delays_nobody_but_its_owner() {
    let Some(scene) = Scene::new() else { return };
    let lock = "SELECT * FROM users WHERE username = 'ann' FOR UPDATE";
    scene.only_ann_waits_for(lock, CREATE, &json!({ "input": { "title": "ann's" } }));
}

#[test]
fn a_locked_id_delays_nobody_but_the_one_who_chose_it() {
    let Some(scene) = Scene::new() else { return };
    let id = "01930000-0000-7000-8000-000000000001";
    let template = scene.ann.creates_task(&scene.server);
    // An insert that may still be committed holds a lock on its key.
    let lock = format!(
        "INSERT INTO tasks SELECT (json_populate_record(tasks, json_build_object('id', '{id}'))).*
         FROM tasks WHERE id = '{}'",
        template.as_str().unwrap_or_default()
    );
    scene.only_ann_waits_for(&lock, CREATE, &json!({ "input": { "id": id, "title": "ann's" } }));
}
