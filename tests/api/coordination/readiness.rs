//! When work on a task can begin, by its status, its claim, its place in the document and its marks.

use super::support::{List, done, list_of, parallel_list};
use crate::support::{code, json, on_both_databases};

/// A document with two phases and tasks outside phases.
const PHASES: &str = "\
# Tasks: Example

- [ ] T001 outside
- [ ] T002 [P] outside, too

## Phase 1: Setup

- [ ] T003 first
- [ ] T004 [P] second
- [ ] T005 [P] third
- [ ] T006 fourth
- [ ] T007 [P] fifth

## Phase 2: More

- [ ] T008 sixth
";

on_both_databases! {
    async fn a_task_is_ready_when_it_is_pending_and_has_no_live_claim(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        for status in ["IN_PROGRESS", "BLOCKED", "COMPLETED"] {
            list.update("T001", json!({ "status": status })).await;
            assert_eq!(list.fields("T001", "ready").await["ready"], false, "{status}");
            assert_eq!(list.ready().await, ["T002"], "{status}");
        }
        list.update("T001", json!({ "status": "PENDING" })).await;
        assert_eq!(list.ready().await, ["T001", "T002"]);
        let claim = list.claim_of("T001").await;
        assert_eq!(list.ready().await, ["T002"]);
        assert_eq!(list.fields("T001", "ready waitsFor { id }").await, json!({ "ready": false, "waitsFor": [] }));
        done(&ann, "releaseClaim", &claim).await;
        assert_eq!(list.ready().await, ["T001", "T002"]);
    }

    async fn in_a_marked_list_the_order_of_each_phase_counts(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, PHASES).await;
        for (key, waits_for) in [
            ("T001", vec![]), ("T002", vec!["T001"]), ("T003", vec![]), ("T004", vec!["T003"]), ("T005", vec!["T003"]),
            ("T006", vec!["T003", "T004", "T005"]), ("T007", vec!["T003", "T006"]),
            ("T008", vec!["T003", "T004", "T005", "T006", "T007"]),
        ] {
            assert_eq!(list.related(key, "waitsFor").await, waits_for, "{key}");
            assert_eq!(list.related(key, "blockedBy").await, Vec::<String>::new(), "{key}");
        }
        assert_eq!(list.ready().await, ["T001", "T003"]);
        for (completed, ready) in [
            ("T003", vec!["T001", "T004", "T005"]), ("T005", vec!["T001", "T004"]), ("T004", vec!["T001", "T006"]),
            ("T001", vec!["T002", "T006"]), ("T006", vec!["T002", "T007"]), ("T007", vec!["T002", "T008"]),
        ] {
            list.call("completeTask", completed).await;
            assert_eq!(list.ready().await, ready, "after {completed}");
        }
        list.call("reopenTask", "T003").await;
        assert_eq!(list.ready().await, ["T002", "T003"]);
        list.delete("T003").await;
        assert_eq!(list.ready().await, ["T002", "T008"], "tasks in the trash do not count");
    }

    async fn in_an_explicit_list_only_dependencies_count(app) {
        let ann = app.user("ann").await;
        let list = List::with_ordering(&ann, PHASES, "EXPLICIT").await;
        assert_eq!(list.ready().await, ["T001", "T002", "T003", "T004", "T005", "T006", "T007"]);
        assert_eq!(list.related("T008", "waitsFor").await, ["T003", "T004", "T005", "T006", "T007"], "Phase 1");
        let texts = ["one", "two (depends on T001)"];
        let list = List::with_ordering(&ann, &list_of(&texts, ""), "EXPLICIT").await;
        assert_eq!((list.ready().await, list.related("T002", "waitsFor").await), (vec!["T001".to_owned()], vec!["T001".to_owned()]));
    }

    async fn the_owner_can_complete_a_task_that_waits(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &list_of(&["one", "two", "three (depends on T001)"], "")).await;
        assert_eq!(list.call("completeTask", "T003").await["status"], "COMPLETED");
        let shown = list.fields("T003", "ready waitsFor { key } blockedBy { key }").await;
        assert_eq!(shown, json!({ "ready": false, "waitsFor": [], "blockedBy": [{ "key": "T001" }] }));
        list.update("T002", json!({ "status": "IN_PROGRESS" })).await;
        assert_eq!(list.ready().await, ["T001"]);
    }

    async fn at_most_the_first_twenty_tasks_of_waits_for_are_listed_in_the_order_of_the_document(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &list_of(&["x"; 25], "")).await;
        list.call("completeTask", "T002").await;
        let expected: Vec<String> = (1..=21).filter(|n| *n != 2).map(|n| format!("T{n:03}")).collect();
        assert_eq!(list.related("T025", "waitsFor").await, expected);
        assert_eq!(list.related("T003", "waitsFor").await, ["T001"]);
    }

    async fn a_task_outside_lists_is_ready_when_it_is_pending(app) {
        let ann = app.user("ann").await;
        ann.create(json!({ "title": "one" })).await;
        ann.create(json!({ "title": "two", "status": "BLOCKED" })).await;
        let fields = "title ready claim { id } blockedBy { id } blocks { id } waitsFor { id }";
        let tasks = ann.data(&format!("{{ tasks(orderBy: [{{ field: TITLE }}]) {{ nodes {{ {fields} }} }} }}"), json!({})).await;
        let shown = |title: &str, ready: bool| json!({ "title": title, "ready": ready, "claim": null, "blockedBy": [], "blocks": [], "waitsFor": [] });
        assert_eq!(tasks["tasks"]["nodes"], json!([shown("one", true), shown("two", false)]));
    }

    async fn tasks_and_lists_in_the_trash_are_not_ready(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        list.claim_of("T001").await;
        list.delete("T001").await;
        let trash = "{ trash { nodes { key ready claim { id } } } }";
        assert_eq!(ann.data(trash, json!({})).await["trash"]["nodes"], json!([{ "key": "T001", "ready": false, "claim": null }]));
        list.claim_of("T002").await;
        ann.data("mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }", json!({ "id": list.id })).await;
        let lists = "{ trashedTaskLists { nodes { ordering claims { id } readyTasks { totalCount } phases { open } } } }";
        let shown = json!({ "ordering": "MARKED", "claims": [], "readyTasks": { "totalCount": 0 }, "phases": [{ "open": true }] });
        assert_eq!(ann.data(lists, json!({})).await["trashedTaskLists"]["nodes"], json!([shown]));
    }

    async fn ready_tasks_have_pages(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["x"; 5])).await;
        list.call("completeTask", "T002").await;
        let page = "nodes { key } totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor }";
        let first = list.read(&format!("readyTasks(first: 2) {{ {page} }}")).await["readyTasks"].clone();
        assert_eq!(first["nodes"], json!([{ "key": "T001" }, { "key": "T003" }]));
        assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(4), &json!(true)));
        let after = format!("readyTasks(after: {}) {{ {page} }}", first["pageInfo"]["endCursor"]);
        let rest = list.read(&after).await["readyTasks"].clone();
        assert_eq!(rest["nodes"], json!([{ "key": "T004" }, { "key": "T005" }]));
        assert_eq!(rest["pageInfo"]["hasNextPage"], false);
        let before = format!("readyTasks(last: 1, before: {}) {{ {page} }}", rest["pageInfo"]["startCursor"]);
        assert_eq!(list.read(&before).await["readyTasks"]["nodes"], json!([{ "key": "T003" }]));
    }

    async fn one_request_can_follow_ten_thousand_dependencies(app) {
        let ann = app.user("ann").await;
        let texts: Vec<String> = (1..=210).map(|number| match number {
            1..=100 => "first".to_owned(),
            _ => "second (depends on T001–T100)".to_owned(),
        }).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let list = List::import(&ann, &parallel_list(&texts)).await;
        assert_eq!(list.fields("T001", "blocks { id }").await["blocks"].as_array().map(Vec::len), Some(110));
        let query = "query($id: ID!) { task(id: $id) { blocks { blockedBy { id } } } }";
        let error = ann.error(query, json!({ "id": list.task("T001") })).await;
        assert_eq!(code(&error), "QUERY_TOO_COMPLEX");
    }
}
