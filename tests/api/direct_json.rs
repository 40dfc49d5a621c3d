//! Objects whose selected fields need no resolver are serialized directly to JSON. Each selection must give
//! the same text as with the additional field `progress`, which forces execution field by field.

use crate::api::response_size::create_long_tasks;
use crate::support::{Actor, DatabaseKind, TestApp, Value, code, json, on_both_databases};

const ALL: &str =
    "id title description status completed priority labels dueAt completedAt createdAt updatedAt
    version deletedAt date ownerLabel objective rationale";

/// Selections on a task, each with its fragment definitions.
const SELECTIONS: [(&str, &str); 16] = [
    (ALL, ""),
    ("b: title a: id title x: version", ""),
    ("__typename kind: __typename id", ""),
    ("title title t: title title", ""),
    ("...A ...B id", "fragment A on Task { title ...B } fragment B on Task { version id }"),
    (
        "...N ... on Node { id } ... on Task { status ... { priority } }",
        "fragment N on Node { id __typename }",
    ),
    (
        "id @skip(if: $yes) title @include(if: $yes) ... @skip(if: $yes) { version } ...A @include(if: $yes)",
        "fragment A on Task { labels }",
    ),
    ("id @include(if: $yes) x: __typename @skip(if: $yes)", ""),
    ("owner { id }", ""),
    (
        "id owner { __typename id n: name email username isActive createdAt updatedAt ...U } title",
        "fragment U on User { x: id }",
    ),
    ("owner { id } owner { name }", ""),
    ("o: owner { id } p: owner { ... on Node { id } }", ""),
    ("owner { tasks(first: 1) { nodes { title } } } title", ""),
    ("title checklist { text } risks { description } files { path }", ""),
    ("title owner { sessions { current } }", ""),
    ("title x: owner { tasks(first: 0) { totalCount } }", ""),
];

async fn fill(ann: &Actor<'_>) {
    for n in 0..4 {
        let full = json!({
            "title": format!("task \"{n}\" \\ \u{1F600} \u{2028}"), "description": "a\n\"b\"\tc\u{1}", "status": "IN_PROGRESS", "priority": "HIGH",
            "labels": ["a", "ä b"], "dueAt": "2027-01-01T00:00:00.120Z", "date": "2026-11-21", "ownerLabel": "x",
            "objective": "", "rationale": "why", "risks": [{ "description": "rain", "likelihood": "LOW", "impact": "HIGH" }],
        });
        let input = if n % 2 == 0 { full } else { json!({ "title": "bare" }) };
        ann.data(
            "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }",
            json!({ "input": input }),
        )
        .await;
    }
    let id = ann.task("done").await;
    ann.data("mutation($id: ID!) { completeTask(id: $id) { task { id } } }", json!({ "id": id })).await;
}

/// The items without the field that forced execution field by field.
fn without_progress(mut items: Value) -> Value {
    for item in items.as_array_mut().expect("a list") {
        let item = if item.get("node").is_some() { &mut item["node"] } else { item };
        item.as_object_mut().expect("an object").remove("progress");
    }
    items
}

async fn assert_same(
    ann: &Actor<'_>,
    list: impl Fn(&str) -> String,
    fragments: &str,
    items: &str,
    selection: &str,
) {
    let body = |more: &str| {
        let query = format!(
            "query($yes: Boolean = true) {{ x: __typename @skip(if: $yes) {} }} {fragments}",
            list(&format!("{selection} {more}"))
        );
        json!({ "query": query })
    };
    let (direct, by_field) = (ann.post(body("")).await.body, ann.post(body("progress { total }")).await.body);
    let by_field_items =
        by_field["data"].pointer(items).filter(|items| !items.is_null()).cloned().map(without_progress);
    let direct_items = direct["data"].pointer(items).filter(|items| !items.is_null()).cloned();
    // Compared as text, because the order of keys matters.
    assert_eq!(
        direct_items.map(|items| items.to_string()),
        by_field_items.map(|items| items.to_string()),
        "{selection}: {direct:#}"
    );
    let errors = |response: &Value| {
        response["errors"].as_array().map(|errors| {
            errors.iter().map(|error| (error["path"].clone(), error["message"].clone())).collect::<Vec<_>>()
        })
    };
    assert_eq!(errors(&direct), errors(&by_field), "{selection}");
}

on_both_databases! {
    async fn lists_serialized_directly_equal_those_built_field_by_field(app) {
        let ann = app.user("ann").await;
        fill(&ann).await;
        for (selection, fragments) in SELECTIONS {
            assert_same(&ann, |selection| format!("tasks {{ nodes {{ {selection} }} }}"), fragments, "/tasks/nodes", selection).await;
            assert_same(&ann, |selection| format!("tasks(first: 2) {{ edges {{ cursor node {{ {selection} }} }} totalCount }}"), fragments, "/tasks/edges", selection).await;
            assert_same(&ann, |selection| format!("tasks(last: 1) {{ edges {{ node {{ {selection} }} x: cursor __typename }} }}"), fragments, "/tasks/edges", selection).await;
            assert_same(&ann, |selection| format!("me {{ id tasks {{ nodes {{ {selection} }} }} }}"), fragments, "/me/tasks/nodes", selection).await;
            assert_same(&ann, |selection| format!("trash {{ nodes {{ {selection} }} }}"), fragments, "/trash/nodes", selection).await;
        }
    }

    async fn objects_serialized_directly_equal_those_built_field_by_field(app) {
        let ann = app.user("ann").await;
        fill(&ann).await;
        let newest = ann.data("{ tasks { nodes { id } } }", json!({})).await["tasks"]["nodes"].clone();
        let variables = json!({ "id": newest[1]["id"], "yes": true });
        for (selection, fragments) in SELECTIONS {
            let query = |more: &str| format!(
                "query($id: ID!, $yes: Boolean!) {{ x: __typename @skip(if: $yes) task(id: $id) {{ {selection} {more} }} }} {fragments}"
            );
            let task = async |more: &str| {
                let response = ann.post(json!({ "query": query(more), "variables": variables })).await;
                response.body["data"]["task"].clone()
            };
            let (direct, by_field) = (task("").await, task("progress { total }").await);
            // One of the merged selections contains a field that is refused.
            let by_field = if by_field.is_null() { by_field } else { without_progress(json!([by_field]))[0].clone() };
            assert_eq!(direct.to_string(), by_field.to_string(), "{selection}");
        }
    }

    async fn selections_of_the_same_object_are_merged(app) {
        let ann = app.user("ann").await;
        fill(&ann).await;
        let parts = "{ tasks { edges { cursor } ...E nodes { id } pageInfo { endCursor } ... { nodes { title } pageInfo { hasNextPage } } }
                       me { id } me { name } } fragment E on TaskConnection { edges { node { id } } }";
        let whole = "{ tasks { edges { cursor node { id } } nodes { id title } pageInfo { endCursor hasNextPage } } me { id name } }";
        let (parts, whole) = (ann.data(parts, json!({})).await, ann.data(whole, json!({})).await);
        assert_eq!(parts.to_string(), whole.to_string());
        assert_eq!(whole["tasks"]["edges"].as_array().map(Vec::len), Some(5));
    }

    async fn every_field_alone_has_the_same_value_in_lists_and_objects(app) {
        let ann = app.user("ann").await;
        let input = json!({
            "title": "t", "description": "what", "status": "COMPLETED", "priority": "HIGH", "labels": ["a"],
            "dueAt": "2027-01-01T00:00:00.120Z", "date": "2026-11-21", "ownerLabel": "x", "objective": "goal", "rationale": "why",
        });
        let id = ann.create(input).await["id"].clone();
        let whole = ann.data(&format!("query($id: ID!) {{ task(id: $id) {{ {ALL} }} }}"), json!({ "id": id })).await;
        for (field, value) in whole["task"].as_object().expect("an object") {
            assert!(!value.is_null() || field == "deletedAt", "{field} is null");
            for (query, path) in [
                ("{ tasks { nodes { FIELD } } }", "/tasks/nodes/0/FIELD"),
                ("{ tasks { nodes { x: FIELD progress { total } } } }", "/tasks/nodes/0/x"),
                ("{ tasks { edges { node { id } } edges { node { ... on Node { ...T } } } } } fragment T on Task { FIELD }", "/tasks/edges/0/node/FIELD"),
                ("{ a: tasks { nodes { title } } tasks { nodes { FIELD } } }", "/tasks/nodes/0/FIELD"),
                ("{ tasks { nodes { title } } tasks { nodes { FIELD } } }", "/tasks/nodes/0/FIELD"),
                ("{ me { tasks { nodes { owner { tasks { nodes { FIELD } } } } } } }", "/me/tasks/nodes/0/owner/tasks/nodes/0/FIELD"),
                ("query($yes: Boolean = true) { tasks { nodes { title FIELD @include(if: $yes) } } }", "/tasks/nodes/0/FIELD"),
                ("{ tasks(orderBy: [{ field: PRIORITY }]) { nodes { FIELD } } }", "/tasks/nodes/0/FIELD"),
            ] {
                let (query, path) = (query.replace("FIELD", field), path.replace("FIELD", field));
                assert_eq!(ann.data(&query, json!({})).await.pointer(&path), Some(value), "{query}");
            }
        }
        let task = ann.data(&format!("{{ tasks {{ nodes {{ {ALL} }} }} }}"), json!({})).await;
        assert_eq!(task["tasks"]["nodes"][0], whole["task"]);
        ann.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": id })).await;
        let trash = ann.data(&format!("{{ trash {{ nodes {{ {ALL} }} }} }}"), json!({})).await;
        let whole = &trash["trash"]["nodes"][0];
        assert!(whole["deletedAt"].is_string() && whole["title"] == "t", "{trash}");
        for (field, value) in whole.as_object().expect("an object") {
            let alone = ann.data(&format!("{{ trash {{ nodes {{ {field} }} }} }}"), json!({})).await;
            assert_eq!(&alone["trash"]["nodes"][0][field], value, "{field}");
        }
    }

    async fn cursors_do_not_depend_on_the_other_selected_fields(app) {
        let ann = app.user("ann").await;
        fill(&ann).await;
        for field in ["CREATED_AT", "UPDATED_AT", "DUE_AT", "COMPLETED_AT", "PRIORITY", "STATUS", "TITLE"] {
            let cursors = async |beside: &str| {
                let query = format!(
                    "{{ tasks(orderBy: [{{ field: {field} }}, {{ field: CREATED_AT, direction: DESC }}]) {{ edges {{ cursor {beside} }} pageInfo {{ startCursor endCursor }} }} }}"
                );
                let tasks = ann.data(&query, json!({})).await["tasks"].clone();
                let edges = tasks["edges"].as_array().expect("a list");
                let cursors: Vec<Value> = edges.iter().map(|edge| edge["cursor"].clone()).collect();
                assert_eq!(cursors.first(), Some(&tasks["pageInfo"]["startCursor"]), "{field}");
                assert_eq!(cursors.last(), Some(&tasks["pageInfo"]["endCursor"]), "{field}");
                cursors
            };
            let alone = cursors("").await;
            assert_eq!(alone, cursors(&format!("node {{ {ALL} }}")).await, "{field}");
            assert_eq!(alone, cursors("node { progress { total } }").await, "{field}");
        }
    }

    async fn a_stored_value_that_this_version_does_not_know_is_an_error_of_the_field(app) {
        let ann = app.user("ann").await;
        fill(&ann).await;
        app.execute_sql("UPDATE tasks SET status = 'LATER'").await;
        let error = ann.error("{ tasks { nodes { id status } } }", json!({})).await;
        assert_eq!(code(&error), "INTERNAL_SERVER_ERROR", "{error}");
        ann.data("{ tasks { nodes { id priority } } }", json!({})).await;
    }

    async fn bulk_mutations_serialize_directly_too(app) {
        let ann = app.user("ann").await;
        fill(&ann).await;
        let nodes = ann.data("{ tasks { nodes { id } } }", json!({})).await["tasks"]["nodes"].clone();
        let ids: Vec<Value> = nodes.as_array().expect("a list").iter().map(|task| task["id"].clone()).collect();
        let bulk = |selection: &str| format!("mutation($ids: [ID!]!) {{ completeTasks(ids: $ids) {{ tasks {{ {selection} }} }} }}");
        // The second update changes nothing.
        ann.data(&bulk("id"), json!({ "ids": ids })).await;
        let direct = ann.data(&bulk(ALL), json!({ "ids": ids })).await["completeTasks"]["tasks"].clone();
        let by_field = ann.data(&bulk(&format!("{ALL} progress {{ total }}")), json!({ "ids": ids })).await["completeTasks"]["tasks"].clone();
        assert_eq!(direct.to_string(), without_progress(by_field).to_string());
    }
}

#[tokio::test]
async fn a_text_over_the_response_limit_is_reported_with_its_path() {
    TestApp::with(DatabaseKind::Sqlite, &["--limit-query-complexity", "1000000"], async |app| {
        let ann = app.user("ann").await;
        create_long_tasks(&ann, &"😀".repeat(20_000), 3).await;
        let many = (0..10).map(|n| format!("a{n}: description ")).collect::<String>();
        let lists = |selection: &str| {
            format!(
                "a: tasks(first: 20) {{ nodes {{ {selection} }} }} tasks(first: 25) {{ nodes {{ {selection} }} }}"
            )
        };
        assert_same(&ann, |selection| lists(&format!("{many} {selection}")), "", "/tasks/nodes", "id").await;
    })
    .await;
}
