//! Panics: each causes one error in one request, and no transaction or lock stays open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use chrono::TimeDelta;
use futures_util::stream;
use sea_orm::{FromQueryResult, JsonValue, Statement};

use crate::support::{
    DatabaseKind, GraphqlResponse, PASSWORD, TestApp, Value, code, json, on_both_databases,
};

const MESSAGE: &str = "Internal error. Quote the request id when you report it.";
const ME: &str = "{ me { username tasks(first: 5) { nodes { title checklist { text } } } } }";
const CREATE: &str =
    "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
const LOGIN: &str = "mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";
const CHANGE_PASSWORD: &str = "mutation($password: String!) {
    changePassword(input: { currentPassword: $password, newPassword: $password }) { accessToken } }";

fn assert_one_error(response: &GraphqlResponse) {
    let error = response.error();
    assert_eq!((code(&error).as_str(), &error["message"]), ("INTERNAL_SERVER_ERROR", &json!(MESSAGE)));
    assert_eq!(error["extensions"]["status"], 500);
    assert_eq!(error["extensions"]["requestId"], response.header("x-request-id"));
}

/// SQLite needs no check: with an open write transaction the next write would fail.
async fn assert_no_transaction_is_open(app: &TestApp) {
    if app.kind == DatabaseKind::Sqlite {
        return;
    }
    let connection = app.connection();
    let sql = "SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    for _ in 0..100 {
        let statement = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        let open =
            JsonValue::find_by_statement(statement).all(connection).await.expect("the statement is valid");
        if open.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a transaction was left open");
}

/// The number of the tokio task. A task that was spawned later has a larger one.
fn task_number(id: tokio::task::Id) -> u64 {
    id.to_string().parse().expect("the id is a number")
}

/// Panics once, at the statement of a request with this index. Returns the counter of statements. The tasks
/// of the background jobs are older than those of the request, so their statements are not counted.
fn panic_at(app: &TestApp, index: usize) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let newest = task_number(tokio::spawn(async {}).id());
    app.on_statement(move |sql| {
        let is_of_older_task = tokio::task::try_id().is_some_and(|id| task_number(id) < newest);
        // The job that sends mails has a task for each mail.
        let is_of_mail = ["UPDATE \"email_tokens\" SET \"expires_at\"", "DELETE FROM \"mails\""];
        let is_job_statement = is_of_older_task || is_of_mail.iter().any(|start| sql.starts_with(start));
        if !is_job_statement && counted.fetch_add(1, Ordering::Relaxed) == index {
            panic!("intended by the test");
        }
    });
    count
}

on_both_databases! {
    #[flags("--limit-login-failures", "1000", "--limit-credentials-per-minute", "0")]
    async fn a_panic_after_any_statement_rolls_back_its_request_only(app) {
        let ann = app.user("ann").await;
        let inputs = [1, 2].map(|number| {
            json!({ "title": format!("half {number}"), "checklist": [{ "section": "ACTION", "text": "a" }],
                "files": [{ "path": "b", "kind": "CREATED" }] })
        });
        let operations = [
            (CREATE, json!({ "inputs": inputs })),
            (ME, json!({})),
            (LOGIN, json!({ "who": ann.email, "password": PASSWORD })),
            (CHANGE_PASSWORD, json!({ "password": PASSWORD })),
        ];
        for (query, variables) in operations {
            for index in 0.. {
                let count = panic_at(app, index);
                let response = ann.execute(query, variables.clone()).await;
                app.on_statement(|_| {});
                if count.load(Ordering::Relaxed) <= index {
                    assert!(index > 0 && response.body.get("errors").is_none(), "{:#}", response.body);
                    break;
                }
                assert_one_error(&response);
                assert_no_transaction_is_open(app).await;
                ann.task("after it").await;
            }
        }
        let halves = app.rows("tasks").await.iter().filter(|row| row.contains("half")).count();
        assert_eq!((halves, app.rows("file_changes").await.len()), (2, 2));
    }

    async fn a_clock_out_of_range_causes_one_error_per_request_until_it_is_corrected(app) {
        let ann = app.user("ann").await;
        let login = json!({ "who": ann.email, "password": PASSWORD });
        app.clock.advance(TimeDelta::MAX);
        for (query, variables) in [(ME, json!({})), (CREATE, json!({ "inputs": [] })), (LOGIN, login.clone())] {
            assert_one_error(&ann.execute(query, variables).await);
        }
        app.clock.advance(-TimeDelta::MAX);
        assert_no_transaction_is_open(app).await;
        ann.task("after it").await;
        assert_eq!(ann.data(ME, json!({})).await["me"]["username"], "ann");
        ann.data(LOGIN, login).await;
    }

    async fn a_panic_while_the_body_is_read_is_the_same_error(app) {
        let body = stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, axum::Error>>> {
            panic!("intended by the test")
        });
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from_stream(body)).expect("a valid request");
        let response = GraphqlResponse::of(app, request).await;
        assert_eq!(response.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.header("content-type"), "application/json; charset=utf-8");
        assert_one_error(&response);
        assert_eq!(response.body["data"], Value::Null);
    }

    async fn a_job_that_panics_is_restarted(app) {
        let ann = app.user("ann").await;
        let panicked = Arc::new(AtomicBool::new(false));
        let seen = panicked.clone();
        app.on_statement(move |sql| {
            if sql.contains("session_endings") && !seen.swap(true, Ordering::Relaxed) {
                panic!("intended by the test");
            }
        });
        let deadline = Instant::now() + Duration::from_secs(10);
        while !panicked.load(Ordering::Relaxed) {
            assert!(Instant::now() < deadline, "the job did not run");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(ann.data(ME, json!({})).await["me"]["username"], "ann");
        app.execute_sql("INSERT INTO session_endings SELECT id, created_at FROM sessions").await;
        while ann.execute(ME, json!({})).await.body.get("data").is_some() {
            assert!(Instant::now() < deadline, "the job did not restart");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(ann.execute(ME, json!({})).await.code(), "UNAUTHENTICATED");
    }
}
