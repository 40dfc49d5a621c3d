//! Measures the latency of common operations in the whole service except its socket, on SQLite. `cargo bench
//! --bench operations` runs all; a part of a name after `--` selects some. Criterion compares each run with
//! the previous one and reports a regression.

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

/// The service and the token of a signed-in user.
struct Service {
    app: App,
    token: String,
}

impl Service {
    async fn new(folder: &std::path::Path) -> Self {
        let url = format!("sqlite://{}", folder.join("bench.db").display());
        let flags = ["--database-url", &url, "--better-auth-secret", "an-imaginative-secret-of-a-benchmark"];
        let config = Config::from_flags(flags).expect("the flags are valid");
        let database = Database::connect(&config.database.url().expect("the URL is valid"), 4).await;
        let database = database.expect("the database can be opened");
        database.migrate_up().await.expect("the migrations run");
        let app = App::new(&config, database, Clock::default(), config.network.listen())
            .expect("the app can be built");
        let mut service = Self { app, token: String::new() };
        let register = r#"mutation {
            register(input: { email: "ann@example.com", password: "correct-horse-battery-1" }) { accessToken }
        }"#;
        let registered = service.execute(&json!({ "query": register }).to_string()).await;
        service.token = registered["data"]["register"]["accessToken"].as_str().expect("a token").to_owned();
        service
    }

    /// Creates tasks and returns the id of one.
    async fn create_tasks(&self) -> Value {
        let task =
            |n| json!({ "title": format!("Task {n}"), "description": "A line or two about it. ".repeat(6) });
        let tasks: Vec<Value> = (0..TASKS).map(task).collect();
        let query = "mutation($tasks: [CreateTaskInput!]!) { createTasks(inputs: $tasks) { tasks { id } } }";
        let made =
            self.execute(&json!({ "query": query, "variables": { "tasks": tasks } }).to_string()).await;
        made["data"]["createTasks"]["tasks"][0]["id"].clone()
    }

    async fn response_bytes(&self, body: &str) -> axum::body::Bytes {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::from(body.to_owned()))
            .expect("the request is valid");
        let response = self.app.service.clone().oneshot(request).await.expect("the service is infallible");
        to_bytes(response.into_body(), usize::MAX).await.expect("the response is complete")
    }

    async fn execute(&self, body: &str) -> Value {
        let response: Value =
            serde_json::from_slice(&self.response_bytes(body).await).expect("the response is JSON");
        assert!(response["errors"].is_null(), "{response:#}");
        response
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be created");
    let (service, id) = runtime.block_on(async {
        let service = Service::new(folder.path()).await;
        let id = service.create_tasks().await;
        (service, id)
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
        runtime.block_on(service.execute(&body));
        criterion.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| service.response_bytes(&body));
        });
    }
    criterion.final_summary();
}
