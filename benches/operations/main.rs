//! How long the operations take that clients send all day: the whole program but its socket, on SQLite.
//! `cargo bench --bench operations`, with a part of a name after `--` those alone; run again, it says what
//! has changed since.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use criterion::Criterion;
use serde_json::{Value, json};
use taskhold::app::App;
use taskhold::config::Config;
use taskhold::db::Database;
use taskhold::domain::Clock;
use tower::ServiceExt;

const FIELDS: &str = "id title description completed status priority createdAt updatedAt";
const TASKS: usize = 100;

/// The service and somebody who is signed in to it.
struct World {
    app: App,
    token: String,
}

impl World {
    async fn new(folder: &std::path::Path) -> Self {
        let url = format!("sqlite://{}", folder.join("bench.db").display());
        let flags = ["--database-url", &url, "--better-auth-secret", "an-imaginative-secret-of-a-benchmark"];
        let config = Config::from_flags(flags).expect("the flags are valid");
        let database = Database::connect(&config.database().expect("the URL is valid"), 4).await;
        let database = database.expect("the file can be made");
        database.migrate_up().await.expect("the migrations run");
        let app = App::new(&config, database, Clock::default()).expect("the app can be put together");
        let mut world = Self { app, token: String::new() };
        let register = r#"mutation {
            register(input: { email: "ann@example.com", password: "correct-horse-battery-1" }) { accessToken }
        }"#;
        let registered = world.ask(&json!({ "query": register }).to_string()).await;
        world.token = registered["data"]["register"]["accessToken"].as_str().expect("a token").to_owned();
        world
    }

    /// Makes tasks and gives the id of one.
    async fn fill(&self) -> Value {
        let task =
            |n| json!({ "title": format!("Task {n}"), "description": "A line or two about it. ".repeat(6) });
        let tasks: Vec<Value> = (0..TASKS).map(task).collect();
        let query = "mutation($tasks: [CreateTaskInput!]!) { createTasks(inputs: $tasks) { tasks { id } } }";
        let made = self.ask(&json!({ "query": query, "variables": { "tasks": tasks } }).to_string()).await;
        made["data"]["createTasks"]["tasks"][0]["id"].clone()
    }

    async fn bytes(&self, body: &str) -> axum::body::Bytes {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::from(body.to_owned()))
            .expect("the request is valid");
        let response = self.app.router.clone().oneshot(request).await.expect("the router always answers");
        to_bytes(response.into_body(), usize::MAX).await.expect("the answer is complete")
    }

    async fn ask(&self, body: &str) -> Value {
        let answer: Value = serde_json::from_slice(&self.bytes(body).await).expect("the answer is JSON");
        assert!(answer["errors"].is_null(), "{answer:#}");
        answer
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let (world, id) = runtime.block_on(async {
        let world = World::new(folder.path()).await;
        let id = world.fill().await;
        (world, id)
    });
    let operations = [
        ("me", "{ me { id email name } }".to_owned(), json!({})),
        ("task", format!("query($id: ID!) {{ task(id: $id) {{ {FIELDS} }} }}"), json!({ "id": id })),
        (
            "tasks, 20",
            format!(
                "{{ tasks(first: 20) {{ edges {{ cursor node {{ {FIELDS} }} }} pageInfo {{ hasNextPage }} }} }}"
            ),
            json!({}),
        ),
        (
            "tasks, 50 with owners",
            "{ me { id tasks(first: 50) { edges { node { id title owner { id name } } } } } }".to_owned(),
            json!({}),
        ),
        (
            "createTask",
            "mutation($title: String!) { createTask(input: { title: $title }) { task { id title } } }"
                .to_owned(),
            json!({ "title": "one more" }),
        ),
        (
            "toggleTask",
            "mutation($id: ID!) { toggleTask(id: $id) { task { id completed } } }".to_owned(),
            json!({ "id": id }),
        ),
    ];
    let mut criterion = Criterion::default().configure_from_args();
    for (name, query, variables) in operations {
        let body = json!({ "query": query, "variables": variables }).to_string();
        runtime.block_on(world.ask(&body));
        criterion.bench_function(name, |bencher| bencher.to_async(&runtime).iter(|| world.bytes(&body)));
    }
    criterion.final_summary();
}
