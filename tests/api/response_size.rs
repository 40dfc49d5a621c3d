//! The limit on long texts in a response, on SQLite only.

use crate::support::{Actor, DatabaseKind, TestApp, Value, code, json};

/// Creates tasks with a long description, seven per request because of the limit on bodies.
pub async fn create_long_tasks(actor: &Actor<'_>, description: &str, sevens: usize) {
    let input = json!({ "title": "long", "description": description });
    let create =
        "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { version } } }";
    for _ in 0..sevens {
        actor.data(create, json!({ "inputs": vec![&input; 7] })).await;
    }
}

/// Selects the description of each task under twenty aliases. Asserts that `fit` tasks succeed, and returns
/// the error for one more.
async fn error_beyond(description: &str, sevens: usize, fit: usize) -> Value {
    let mut refused = Value::Null;
    TestApp::with(DatabaseKind::Sqlite, &[], async |app| {
        let ann = app.user("ann").await;
        create_long_tasks(&ann, description, sevens).await;
        let aliases: String = (0..20).map(|n| format!("a{n}: description ")).collect();
        let query = format!("query($first: Int) {{ tasks(first: $first) {{ nodes {{ {aliases} }} }} }}");
        assert_eq!(ann.execute(&query, json!({ "first": fit })).await.body.get("errors"), None);
        let response = ann.execute(&query, json!({ "first": fit + 1 })).await;
        assert_eq!(response.body["data"]["tasks"]["nodes"][0]["a0"], description);
        refused = response.body["errors"][0].clone();
    })
    .await;
    refused
}

#[tokio::test]
async fn long_texts_in_a_response_have_at_most_32_mib() {
    // 20 times 80,000 bytes each.
    let error = error_beyond(&"😀".repeat(20_000), 3, 20).await;
    assert_eq!(code(&error), "QUERY_TOO_COMPLEX");
    let path = error["path"].as_array().expect("a path");
    assert_eq!(path[..2], [json!("tasks"), json!("nodes")], "{error}");
}

#[tokio::test]
async fn the_size_of_a_text_is_that_of_its_json() {
    // 120,000 bytes each after escaping.
    let error = error_beyond(&format!("a{}", "\u{1}".repeat(19_999)), 2, 13).await;
    assert_eq!(code(&error), "QUERY_TOO_COMPLEX");
}
