//! Clients that change the tasks of a few users at the same time, and sessions whose transactions stay open for
//! some milliseconds.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};
use tokio::runtime::Builder;
use uuid::Uuid;

use crate::process::changes::random::Random;
use crate::process::code;
use crate::support::{Client, Server, json};

/// A user whose tasks are changed.
pub struct User {
    pub token: String,
    /// The start of the ids that the writers choose for the user's tasks.
    id_prefix: String,
    pub changes: Mutex<Changes>,
}

/// What the writers know about the tasks of a user.
#[derive(Default)]
pub struct Changes {
    ids: Vec<String>,
    /// When the change to a version of a task was sent, and when it was acknowledged.
    pub times: HashMap<(String, i64), (Instant, Instant)>,
}

impl User {
    pub fn register(server: &Server, name: &str) -> Self {
        let random = Uuid::new_v4().to_string();
        let id_prefix = random.rsplit_once('-').expect("an id has parts").0.to_owned();
        Self { token: server.register(name), id_prefix, changes: Mutex::default() }
    }

    /// Creates tasks and moves them into the trash.
    pub fn fill_trash(&self, server: &Server, count: usize) {
        let create =
            "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
        let inputs = vec![json!({ "title": "x" }); count];
        let response = server.post(&self.token, create, &json!({ "inputs": inputs })).json();
        let tasks = response["data"]["createTasks"]["tasks"].as_array().expect("tasks").iter();
        let ids: Vec<_> = tasks.map(|task| task["id"].clone()).collect();
        let delete = "mutation($ids: [ID!]!) { deleteTasks(ids: $ids) { deletedTaskIds } }";
        let response = server.post(&self.token, delete, &json!({ "ids": ids }));
        assert_eq!(code(&response), "", "{}", response.body);
    }

    /// One of the ids as a literal.
    fn any_id(&self, random: &mut Random) -> String {
        let changes = self.changes.lock().expect("no holder panics");
        let none = Uuid::nil().to_string();
        let id = if changes.ids.is_empty() { &none } else { random.pick(&changes.ids) };
        format!("\"{id}\"")
    }
}

/// A client that sends one random change after the other to one server.
pub struct Writer<'a> {
    client: Client,
    users: &'a [User],
    random: Random,
    number: usize,
    sent: usize,
}

impl<'a> Writer<'a> {
    pub fn new(server: &Server, users: &'a [User], number: usize) -> Self {
        Self { client: server.connect(), users, random: Random::new(number as u64), number, sent: 0 }
    }

    /// Sends a change of some tasks of one of the users.
    ///
    /// # Panics
    ///
    /// If it fails for another reason than that a task is in the trash.
    pub fn write(&mut self) {
        self.sent += 1;
        let user = self.random.pick(self.users);
        let (mutation, is_always_a_change) = self.mutation(user);
        let field = mutation.split('(').next().expect("the first part");
        let sent = Instant::now();
        let response = self.client.post(&user.token, &format!("mutation {{ {mutation} }}"), &json!({}));
        let times = (sent, Instant::now());
        let allowed = ["", "NOT_FOUND"].contains(&code(&response).as_str());
        assert!(allowed, "{mutation}: {}", response.body);
        let payload = response.json()["data"][field].take();
        let one = std::slice::from_ref(&payload["task"]);
        for task in
            payload["tasks"].as_array().map_or(one, Vec::as_slice).iter().filter(|task| task.is_object())
        {
            let id = task["id"].as_str().expect("an id").to_owned();
            let mut changes = user.changes.lock().expect("no holder panics");
            if task["version"] == 1 {
                changes.ids.push(id.clone());
            }
            if is_always_a_change {
                changes.times.insert((id, task["version"].as_i64().expect("a version")), times);
            }
        }
    }

    /// A random mutation, and whether it certainly changes all tasks that it returns.
    fn mutation(&mut self, user: &User) -> (String, bool) {
        const TASK: &str = "{ task { id version } }";
        const TASKS: &str = "{ tasks { id version } }";
        let title = format!("title: \"{} of {}\"", self.sent, self.number);
        let id = user.any_id(&mut self.random);
        let ids = [id.clone(), user.any_id(&mut self.random), user.any_id(&mut self.random)].join(", ");
        // Several writers choose the same id of this user at about the same time.
        let chosen = format!("id: \"{}-{:012x}\"", user.id_prefix, self.sent / 2);
        let risk = "description: \"r\", likelihood: LOW, impact: LOW";
        match self.random.below(16) {
            0..3 => (format!("createTask(input: {{ {title} }}) {TASK}"), true),
            3 => (format!("createTask(input: {{ {chosen}, {title} }}) {TASK}"), false),
            4 => {
                (format!("createTasks(inputs: [{{ {title} }}, {{ {title} }}, {{ {title} }}]) {TASKS}"), true)
            }
            5 => {
                let with_parts = format!("{{ {chosen}, {title}, risks: [{{ {risk} }}] }}");
                (format!("createTasks(inputs: [{{ {title} }}, {with_parts}]) {TASKS}"), false)
            }
            6..9 => (format!("updateTask(id: {id}, input: {{ {title} }}) {TASK}"), true),
            9 => (format!("toggleTask(id: {id}) {TASK}"), true),
            10 => (format!("addRisk(taskId: {id}, input: {{ {risk} }}) {TASK}"), true),
            11 | 12 => (format!("updateTasks(ids: [{ids}], input: {{ {title} }}) {TASKS}"), true),
            13 => (format!("deleteTask(id: {id}) {{ deletedTaskId }}"), false),
            14 => (format!("deleteTasks(ids: [{ids}]) {{ deletedTaskIds }}"), false),
            _ => (format!("restoreTask(id: {id}) {TASK}"), false),
        }
    }
}

/// Sessions that do not belong to a server.
#[derive(Clone, Copy)]
pub struct Sessions<'a> {
    /// The database that they use.
    pub url: &'a str,
    pub count: usize,
    /// The longest time that a transaction stays open after its change, and the longest pause between two, in
    /// milliseconds.
    pub open_and_pause: (usize, usize),
}

/// Changes and inserts tasks from a session of its own until it is stopped. One in three of its transactions is
/// rolled back.
pub fn keep_transactions_open(sessions: Sessions<'_>, seed: u64, is_stopped: &AtomicBool) {
    let Sessions { url, open_and_pause: (open, pause), .. } = sessions;
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be created");
    let mut random = Random::new(seed);
    let change = "UPDATE tasks SET version = version + 1
                  WHERE id = (SELECT id FROM tasks ORDER BY random() LIMIT 1)";
    let changed: Result<(), DbErr> = runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await?;
        while !is_stopped.load(Ordering::Relaxed) {
            let transaction = connection.begin().await?;
            let statement = if random.below(2) == 0 { change } else { &insertion(url) };
            transaction.execute_unprepared(statement).await?;
            tokio::time::sleep(Duration::from_millis(random.below(open) as u64)).await;
            match random.below(3) {
                0 => transaction.rollback().await?,
                _ => transaction.commit().await?,
            }
            tokio::time::sleep(Duration::from_millis(random.below(pause) as u64)).await;
        }
        connection.close().await
    });
    changed.expect("the transactions succeed");
}

/// A statement that inserts a copy of a random task. The writers do not know the copy.
fn insertion(url: &str) -> String {
    let id = Uuid::new_v4();
    let id = if url.starts_with("sqlite") { format!("x'{}'", id.simple()) } else { format!("'{id}'::uuid") };
    format!(
        "INSERT INTO tasks (id, owner_id, title, title_key, status, priority, created_at, updated_at, version)
         SELECT {id}, owner_id, title, title_key, status, priority, created_at, updated_at, 1
         FROM tasks ORDER BY random() LIMIT 1"
    )
}
