//! Filters and orders for the tasks of lists.

use super::support::{LIST, import, keys, read};
use crate::support::{Value, json, on_both_databases};

on_both_databases! {
    async fn tasks_are_found_by_their_place_in_a_list(app) {
        let ann = app.user("ann").await;
        let bob = app.user("bob").await;
        let list = import(&ann, LIST).await;
        let other = import(&ann, "- [ ] T001 In no phase\n").await;
        let bobs = import(&bob, LIST).await;
        ann.task("outside").await;
        let query = "query($filter: TaskFilter) { tasks(filter: $filter) { totalCount } }";
        for (filter, count) in [
            (json!({ "inList": true }), 4),
            (json!({ "inList": false }), 1),
            (json!({ "listId": list }), 3),
            (json!({ "listId": list.to_uppercase() }), 3),
            (json!({ "listId": other }), 1),
            (json!({ "listId": bobs }), 0),
            (json!({ "listId": "no id" }), 0),
            (json!({ "not": { "listId": list } }), 2),
            (json!({ "key": ["T001", "T003", "T003"] }), 3),
            (json!({ "key": "T001" }), 2),
            (json!({ "key": ["t001", "T001 ", ""] }), 0),
            (json!({ "key": [] }), 0),
            (json!({ "not": { "key": ["T001"] } }), 3),
            (json!({ "phase": ["1"] }), 2),
            (json!({ "phase": [] }), 0),
            (json!({ "not": { "phase": ["1"] } }), 3),
            (json!({ "story": ["US1", "US2"] }), 1),
            (json!({ "story": ["US"] }), 0),
            (json!({ "story": ["%", "_", "US1\nUS2"] }), 0),
            (json!({ "story": [] }), 0),
            (json!({ "not": { "story": ["US1"] } }), 4),
            (json!({ "parallel": true }), 2),
            (json!({ "parallel": false }), 3),
            (json!({ "listId": list, "status": "COMPLETED" }), 1),
            (json!({ "or": [{ "key": ["T002"] }, { "phase": ["2"] }] }), 2),
        ] {
            let found = ann.data(query, json!({ "filter": filter })).await["tasks"]["totalCount"].clone();
            assert_eq!(found, json!(count), "{filter}");
        }
        assert_eq!(keys(&ann, &list, json!({ "parallel": true })).await, ["T002", "T003"]);
    }

    async fn the_whole_text_is_searched(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, &format!("- [ ] T001 {} needle\n", "word ".repeat(100))).await;
        let task = read(&ann, &list, "tasks { nodes { title text } }").await["tasks"]["nodes"][0].clone();
        let (title, text) = (task["title"].as_str().expect("text"), task["text"].as_str().expect("text"));
        assert!(title.ends_with('…') && title.chars().count() == 200 && text.ends_with("needle"));
        assert_eq!(keys(&ann, &list, json!({ "text": "NEEDLE" })).await, ["T001"]);
    }

    async fn position_orders_by_list_and_document(app) {
        let ann = app.user("ann").await;
        let mut lists = [import(&ann, LIST).await, import(&ann, LIST).await];
        lists.sort();
        ann.task("outside").await;
        let query = "query($order: [TaskOrder!], $first: Int, $after: String) {
            tasks(orderBy: $order, first: $first, after: $after) { nodes { key list { id } } pageInfo { endCursor } } }";
        let place = |task: &Value| (task["list"]["id"].clone(), task["key"].clone());
        let expected: Vec<(Value, Value)> = lists.iter()
            .flat_map(|list| ["T001", "T002", "T003"].map(|key| (json!(list), json!(key))))
            .chain([(Value::Null, Value::Null)])
            .collect();
        for (direction, nulls) in [("ASC", "LAST"), ("DESC", "FIRST")] {
            let order = json!([{ "field": "POSITION", "direction": direction, "nulls": nulls }]);
            let (mut found, mut after) = (Vec::new(), Value::Null);
            loop {
                let page = ann.data(query, json!({ "order": order, "first": 2, "after": after })).await["tasks"].clone();
                let nodes = page["nodes"].as_array().expect("tasks").clone();
                if nodes.is_empty() {
                    break;
                }
                found.extend(nodes.iter().map(place));
                after = page["pageInfo"]["endCursor"].clone();
            }
            let mut wanted = expected.clone();
            if direction == "DESC" {
                wanted.reverse();
            }
            assert_eq!(found, wanted, "{direction}");
        }
    }

    async fn phases_and_stories_page_their_tasks(app) {
        let ann = app.user("ann").await;
        let lines: String = (1..=7).map(|n| format!("- [ ] T{n:03} [US1] Task {n}\n")).collect();
        let list = import(&ann, &format!("# Tasks: T\n\n## Phase 1: One\n\n{lines}")).await;
        let query = "query($id: ID!, $after: String) { taskList(id: $id) {
            phases { tasks(first: 3, after: $after) { totalCount nodes { key } pageInfo { hasNextPage endCursor } } }
            stories { tasks(last: 2) { nodes { key } pageInfo { hasPreviousPage } } } } }";
        let first = ann.data(query, json!({ "id": list })).await["taskList"].clone();
        let page = &first["phases"][0]["tasks"];
        assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(7), &json!(true)));
        assert_eq!(first["stories"][0]["tasks"]["nodes"], json!([{ "key": "T006" }, { "key": "T007" }]));
        let next = ann.data(query, json!({ "id": list, "after": page["pageInfo"]["endCursor"] })).await;
        let keys = json!([{ "key": "T004" }, { "key": "T005" }, { "key": "T006" }]);
        assert_eq!(next["taskList"]["phases"][0]["tasks"]["nodes"], keys);
    }
}
