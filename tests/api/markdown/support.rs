//! Requests about documents that the tests of this folder share.

use crate::support::{Actor, Value, json};

/// A small list with two phases, two stories and three tasks.
pub const LIST: &str = "\
# Tasks: Harbour map

## Phase 1: Setup

**Purpose**: Prepare the project

- [x] T001 Create the project in src/main.rs
- [ ] T002 [P] Add the linter

## Phase 2: User Story 1 - Ships (Priority: P1) 🎯 MVP

**Goal**: Show ships

- [ ] T003 [P] [US1] Draw ships in `src/ships.rs`

  Each ship has a name.
";

/// The fields of a task that belong to its list.
pub const ENTRY: &str = "id key text title details parallel status completed version phase { number title } stories { key } paths";

/// Imports a list and returns its id.
pub async fn import(actor: &Actor<'_>, markdown: &str) -> String {
    let query =
        "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { id } } }";
    let data = actor.data(query, json!({ "input": { "markdown": markdown } })).await;
    data["importTaskList"]["taskList"]["id"].as_str().expect("an id").to_owned()
}

/// Reads fields of a list.
pub async fn read(actor: &Actor<'_>, id: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ taskList(id: $id) {{ {fields} }} }}");
    actor.data(&query, json!({ "id": id })).await["taskList"].clone()
}

/// The export of a list.
pub async fn export(actor: &Actor<'_>, id: &str) -> String {
    read(actor, id, "markdown").await["markdown"].as_str().expect("text").to_owned()
}

/// The tasks of a list, with the fields [`ENTRY`].
pub async fn tasks(actor: &Actor<'_>, id: &str) -> Vec<Value> {
    let list = read(actor, id, &format!("tasks(first: 100) {{ nodes {{ {ENTRY} }} }}")).await;
    list["tasks"]["nodes"].as_array().expect("tasks").clone()
}

/// The id of the task of a list with this key.
pub async fn task_with_key(actor: &Actor<'_>, list: &str, key: &str) -> String {
    let query = "query($list: ID!, $key: [String!]) {
        tasks(filter: { listId: $list, key: $key }) { nodes { id } } }";
    let data = actor.data(query, json!({ "list": list, "key": [key] })).await;
    data["tasks"]["nodes"][0]["id"].as_str().expect("an id").to_owned()
}

/// Merges a document with this input, beside the document, and returns the payload.
pub async fn merge(actor: &Actor<'_>, list: &str, markdown: &str, mut input: Value) -> Value {
    input["markdown"] = json!(markdown);
    actor.data(MERGE, json!({ "id": list, "input": input })).await["mergeTaskList"].clone()
}

/// The operation of [`merge`].
pub const MERGE: &str =
    "mutation($id: ID!, $input: MergeTaskListInput!) { mergeTaskList(id: $id, input: $input) {
    applied taskList { version }
    conflicts { key kind base server file task { id } } changes { kind key previousKey task { id } } } }";

/// The kinds and keys of the changes of a merge, such as `ADDED T004`.
pub fn changes(payload: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let change = |change: &Value| format!("{} {}", text(&change["kind"]), text(&change["key"]));
    payload["changes"].as_array().expect("changes").iter().map(change).collect()
}

/// Updates a task.
pub async fn update(actor: &Actor<'_>, id: &str, input: Value) {
    let query =
        "mutation($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { task { id } } }";
    actor.data(query, json!({ "id": id, "input": input })).await;
}

/// Moves a task to the trash.
pub async fn delete(actor: &Actor<'_>, id: &str) {
    actor.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": id })).await;
}

/// Restores a task from the trash.
pub async fn restore(actor: &Actor<'_>, id: &str) {
    actor.data("mutation($id: ID!) { restoreTask(id: $id) { task { id } } }", json!({ "id": id })).await;
}

/// Moves a list to the trash.
pub async fn delete_list(actor: &Actor<'_>, id: &str) {
    let query = "mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }";
    actor.data(query, json!({ "id": id })).await;
}

/// The keys of the tasks of a list that a filter selects.
pub async fn keys(actor: &Actor<'_>, list: &str, filter: Value) -> Vec<String> {
    let query = "query($id: ID!, $filter: TaskFilter) {
        taskList(id: $id) { tasks(first: 100, filter: $filter) { nodes { key } } } }";
    let data = actor.data(query, json!({ "id": list, "filter": filter })).await;
    let nodes = data["taskList"]["tasks"]["nodes"].as_array().expect("tasks").clone();
    nodes.iter().map(|task| task["key"].as_str().expect("a key").to_owned()).collect()
}
