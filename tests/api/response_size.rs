//! How much an answer may take in. No database matters here.

use crate::support::{Actor, DatabaseKind, TestApp, Value, code, json};

/// Makes tasks with a long description, seven at a time, since a request has its limit, too.
pub async fn long_tasks(actor: &Actor<'_>, description: &str, sevens: usize) {
    let input = json!({ "title": "long", "description": description });
    let create =
        "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { version } } }";
    for _ in 0..sevens {
        actor.data(create, json!({ "inputs": vec![&input; 7] })).await;
    }
}

/// Asks each task for its description under twenty aliases: just as many tasks as fit into 32 MiB, and one
/// more. Gives the answer that was too much.
async fn edge(description: &str, sevens: usize, fit: usize) -> Value {
    let mut refused = Value::Null;
    TestApp::with(DatabaseKind::Sqlite, &[], async |app| {
        let ann = app.user("ann").await;
        long_tasks(&ann, description, sevens).await;
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
async fn long_texts_make_up_at_most_32_mib_of_an_answer() {
    // 20 times 80,000 bytes each.
    let error = edge(&"😀".repeat(20_000), 3, 20).await;
    assert_eq!(code(&error), "QUERY_TOO_COMPLEX");
    let path = error["path"].as_array().expect("a path");
    assert_eq!(path[..2], [json!("tasks"), json!("nodes")], "{error}");
}

#[tokio::test]
async fn a_text_is_as_long_as_it_is_in_json() {
    // 120,000 bytes each, once escaped.
    let error = edge(&format!("a{}", "\u{1}".repeat(19_999)), 2, 13).await;
    assert_eq!(code(&error), "QUERY_TOO_COMPLEX");
}
