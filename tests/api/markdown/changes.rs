//! Changes of the tasks of lists, as clients that listen see them.

use super::support::{LIST, delete_list, import, merge};
use crate::support::{Actor, Value, json, on_both_databases};

/// The changes after a cursor as `KIND key`, sorted, and the next cursor.
async fn changes_after(actor: &Actor<'_>, cursor: &Value) -> (Vec<String>, Value) {
    let query = "query($after: String) { taskChanges(after: $after, first: 100) {
        cursor changes { kind task { key } } } }";
    let read = actor.data(query, json!({ "after": cursor })).await["taskChanges"].clone();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let changes = read["changes"].as_array().expect("changes");
    let mut changes: Vec<String> = changes
        .iter()
        .map(|change| format!("{} {}", text(&change["kind"]), text(&change["task"]["key"])))
        .collect();
    changes.sort();
    (changes, read["cursor"].clone())
}

on_both_databases! {
    async fn every_change_of_a_list_task_is_reported(app) {
        let ann = app.user("ann").await;
        let cursor = ann.data("{ tasks { syncCursor } }", json!({})).await["tasks"]["syncCursor"].clone();
        let list = import(&ann, LIST).await;
        let (changes, cursor) = changes_after(&ann, &cursor).await;
        assert_eq!(changes.len(), 3, "{changes:?}");
        let file = LIST.replace("Add the linter", "Add two linters").replace("- [x] T001 Create the project in src/main.rs\n", "");
        merge(&ann, &list, &file, json!({})).await;
        let (changes, cursor) = changes_after(&ann, &cursor).await;
        assert_eq!(changes, ["DELETED T001", "SAVED T002"]);
        delete_list(&ann, &list).await;
        let (changes, cursor) = changes_after(&ann, &cursor).await;
        assert_eq!(changes, ["DELETED T002", "DELETED T003"]);
        ann.data("mutation($id: ID!) { restoreTaskList(id: $id) { taskList { id } } }", json!({ "id": list })).await;
        let (changes, cursor) = changes_after(&ann, &cursor).await;
        assert_eq!(changes, ["SAVED T002", "SAVED T003"]);
        let create = "mutation($list: ID!) { createTask(input: { title: \"x\", list: { listId: $list } }) { task { id } } }";
        ann.data(create, json!({ "list": list })).await;
        let (changes, _) = changes_after(&ann, &cursor).await;
        assert_eq!(changes, ["SAVED T004"], "the neighbours of a new task do not change");
    }
}
