//! The limits of documents.

use super::support::{LIST, export, import, merge, read};
use crate::support::{code, faults, json, on_both_databases};

const IMPORT: &str =
    "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { id } } }";

/// A list of this number of tasks.
fn list_of(count: usize) -> String {
    (1..=count).map(|n| format!("- [ ] T{n:04} Do {n}\n")).collect()
}

on_both_databases! {
    async fn a_list_has_at_most_five_thousand_tasks(app) {
        let ann = app.user("ann").await;
        let error = ann.error(IMPORT, json!({ "input": { "markdown": list_of(5_001) } })).await;
        assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["input.markdown too_many".to_owned()]));
        let diagnostics = "query($markdown: String!) { diagnostics(kind: TASK_LIST, markdown: $markdown) { code } }";
        let error = ann.error(diagnostics, json!({ "markdown": list_of(5_001) })).await;
        assert_eq!(faults(&error), ["markdown too_many"]);
        let list = import(&ann, &list_of(5_000)).await;
        assert_eq!(read(&ann, &list, "progress { total }").await["progress"]["total"], 5_000);
        let create = "mutation($list: ID!) { createTask(input: { title: \"x\", list: { listId: $list } }) { task { id } } }";
        assert_eq!(faults(&ann.error(create, json!({ "list": list })).await), ["input.list too_many"]);
        let merge_more = "mutation($id: ID!, $markdown: String!) { mergeTaskList(id: $id, input: { markdown: $markdown }) { applied } }";
        let error = ann.error(merge_more, json!({ "id": list, "markdown": list_of(5_001) })).await;
        assert_eq!(faults(&error), ["input.markdown too_many"]);
        let first = "query($id: ID!) { taskList(id: $id) { tasks(first: 1) { nodes { id } } } }";
        let first = ann.data(first, json!({ "id": list })).await["taskList"]["tasks"]["nodes"][0]["id"].clone();
        ann.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": first })).await;
        ann.data(create, json!({ "list": list })).await;
        let error = ann.error("mutation($id: ID!) { restoreTask(id: $id) { task { id } } }", json!({ "id": first })).await;
        assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["id too_many".to_owned()]));
    }

    #[flags("--limit-request-bytes", "3000000")]
    async fn a_document_has_at_most_a_mebibyte(app) {
        let ann = app.user("ann").await;
        let limits = ann.data("{ serverInfo { limits { documentBytes tasksPerList } } }", json!({})).await;
        assert_eq!(limits["serverInfo"]["limits"], json!({ "documentBytes": 1_048_576, "tasksPerList": 5_000 }));
        let longest = "é".repeat(1_048_576 / 2);
        let list = import(&ann, &longest).await;
        assert_eq!(export(&ann, &list).await, longest);
        let error = ann.error(IMPORT, json!({ "input": { "markdown": format!("{longest}x") } })).await;
        assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["input.markdown too_long".to_owned()]));
    }

    #[flags("--limit-request-bytes", "20000")]
    async fn a_smaller_limit_of_requests_limits_documents_too(app) {
        let ann = app.user("ann").await;
        let limits = ann.data("{ serverInfo { limits { documentBytes } } }", json!({})).await;
        assert_eq!(limits["serverInfo"]["limits"]["documentBytes"], 20_000);
    }

    #[flags("--limit-query-complexity", "1100")]
    async fn the_fields_of_documents_cost_five_hundred_points(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        read(&ann, &list, "markdown revision").await;
        let query = "query($id: ID!) { taskList(id: $id) { markdown revision diagnostics { code } } }";
        assert_eq!(ann.execute(query, json!({ "id": list })).await.code(), "QUERY_TOO_COMPLEX");
    }

    async fn empty_and_strange_documents_are_accepted(app) {
        let ann = app.user("ann").await;
        for markdown in ["", "\n", "\u{feff}# x\r\n- [ ] T001 a\r\n", "- [ ] T001 a", "```\n- [ ] T001\n", "- [X]\tT001\ttabs\t\n"] {
            let list = import(&ann, markdown).await;
            assert_eq!(export(&ann, &list).await, markdown);
            let payload = merge(&ann, &list, markdown, json!({})).await;
            assert_eq!((&payload["applied"], &payload["changes"]), (&json!(true), &json!([])), "{markdown:?}");
            assert_eq!(export(&ann, &list).await, markdown);
        }
    }

    async fn a_key_can_be_as_long_as_a_document(app) {
        let ann = app.user("ann").await;
        let key: String = std::iter::once("T1".to_owned()).chain((0..2_000).map(|n| format!(".{n}"))).collect();
        let document = format!("- [ ] {key}\n- [ ] {key} again\n");
        let list = import(&ann, &document).await;
        let read = read(&ann, &list, "tasks { nodes { key title } }").await;
        let keys: Vec<_> = read["tasks"]["nodes"].as_array().expect("tasks").iter().map(|task| task["key"].clone()).collect();
        assert_eq!(keys, [json!(key), json!(format!("{key}#2"))]);
        let title = read["tasks"]["nodes"][0]["title"].as_str().expect("text");
        assert_eq!(title.chars().count(), 200);
    }

    async fn long_texts_of_a_document_are_counted_each_time_they_are_selected(app) {
        let ann = app.user("ann").await;
        let text = "word ".repeat(10_000);
        let lines: String = (1..=50).map(|n| format!("- [ ] T{n:03} Task {n}\n")).collect();
        let list = import(&ann, &format!("# Tasks: T\n\n## Phase 1: One\n\n**Goal**: {text}\n\n{lines}")).await;
        let goals: String = (0..40).map(|n| format!("goal{n}: goal ")).collect();
        let query = format!("query($id: ID!) {{ taskList(id: $id) {{ tasks(first: 50) {{ nodes {{ phase {{ {goals} }} }} }} }} }}");
        assert_eq!(ann.execute(&query, json!({ "id": list })).await.code(), "QUERY_TOO_COMPLEX");
    }
}
