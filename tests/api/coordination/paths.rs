//! The files that claims hold: which paths overlap, and where the paths of a task come from.

use super::support::{List, done, parallel_list, text};
use crate::support::{Value, json, on_both_databases};

/// Adds a file to the `files` of a task.
async fn add_file(list: &List<'_>, key: &str, path: &str) {
    let query = "mutation($id: ID!, $path: String!) { addFileChange(taskId: $id, input: { path: $path, kind: MODIFIED }) { file { id } } }";
    list.owner.data(query, json!({ "id": list.task(key), "path": path })).await;
}

on_both_databases! {
    async fn paths_overlap_if_they_are_equal_or_one_is_a_folder_of_the_other(app) {
        let ann = app.user("ann").await;
        for (first, second, overlap) in [
            ("src/a.rs", "src/a.rs", true), ("src/a.rs", "./src/a.rs", true), ("src/a.rs", "/src/a.rs", true),
            ("src/a.rs", "src\\a.rs", true), ("src/a.rs", ".\\src\\a.rs", true), ("src/", "src/a.rs", true),
            ("src/", "src/", true), ("src\\", "/src/lib/a.rs", true), ("src/lib/", "./src/", true), ("a b", "a b", true),
            ("src/a.rs", "src/b.rs", false), ("src/a.rs", "src/A.rs", false), ("src/", "src", false),
            ("src/lib", "src/lib/a.rs", false), ("src/lib/", "src/library/a.rs", false), ("lib/", "src/lib/a.rs", false),
            ("a.rs", "src/a.rs", false), ("src/a.rs", "src/a.rs.bak", false), ("src/", "Src/a.rs", false),
        ] {
            for [first, second] in [[first, second], [second, first]] {
                let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
                add_file(&list, "T001", first).await;
                add_file(&list, "T002", second).await;
                let claim = list.claim(json!({})).await;
                assert_eq!((&claim["task"]["key"], &claim["paths"]), (&json!("T001"), &json!([first])));
                let expected = if overlap { "FILES_BUSY" } else { "T002" };
                assert_eq!(list.next_key(json!({})).await, expected, "{first} and {second}");
            }
        }
    }

    async fn the_paths_of_a_claim_are_those_of_the_text_the_details_and_the_files(app) {
        let ann = app.user("ann").await;
        let document = "# Tasks: Example\n\n- [ ] T001 [P] one in `src/a.rs`, ./src/b.rs\n\n  Also lib/ and src/a.rs.\n\n- [ ] T002 [P] two in lib/c.rs\n";
        let list = List::import(&ann, document).await;
        add_file(&list, "T001", "src/b.rs").await;
        add_file(&list, "T001", "docs/d.md").await;
        let claim = list.claim(json!({})).await;
        assert_eq!(claim["paths"], json!(["src/a.rs", "src/b.rs", "lib/", "docs/d.md"]));
        assert_eq!(list.fields("T001", "paths").await["paths"], claim["paths"]);
        assert_eq!(list.next_key(json!({})).await, "FILES_BUSY");
    }

    async fn later_changes_of_a_task_do_not_change_the_paths_of_its_claim(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one in a.rs", "two in a.rs", "three in b.rs"])).await;
        let claim = list.claim(json!({})).await;
        list.update("T001", json!({ "title": "one in b.rs" })).await;
        add_file(&list, "T001", "b.rs").await;
        assert_eq!(list.read("claims { paths }").await["claims"], json!([{ "paths": ["a.rs"] }]));
        assert_eq!(list.next_key(json!({ "keys": ["T002"] })).await, "FILES_BUSY");
        assert_eq!(list.next_key(json!({ "keys": ["T003"] })).await, "T003");
        done(&ann, "releaseClaim", &text(&claim["id"])).await;
        assert_eq!(list.next_key(json!({ "keys": ["T001"] })).await, "FILES_BUSY", "T003 holds b.rs");
    }

    async fn the_present_text_of_other_tasks_is_compared(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one in a.rs", "two in a.rs"])).await;
        list.claim_of("T001").await;
        assert_eq!(list.next_key(json!({})).await, "FILES_BUSY");
        list.update("T002", json!({ "title": "two in c.rs" })).await;
        let claim = list.claim(json!({})).await;
        assert_eq!((&claim["task"]["key"], &claim["paths"]), (&json!("T002"), &json!(["c.rs"])));
    }

    async fn claims_of_different_lists_do_not_exclude_each_other(app) {
        let ann = app.user("ann").await;
        for _ in 0..2 {
            let list = List::import(&ann, &parallel_list(&["one in a.rs"])).await;
            assert_eq!(list.next_key(json!({})).await, "T001");
        }
    }

    async fn tasks_without_paths_do_not_exclude_each_other(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["x"; 3])).await;
        for key in ["T001", "T002", "T003"] {
            let claim = list.claim(json!({})).await;
            assert_eq!((&claim["task"]["key"], &claim["paths"]), (&json!(key), &json!([])));
        }
    }

    async fn a_task_that_is_made_on_the_server_can_be_claimed_with_its_files(app) {
        let ann = app.user("ann").await;
        let mut list = List::import(&ann, &parallel_list(&["one in a.rs"])).await;
        let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { key } } }";
        let place = json!({ "listId": list.id, "parallel": true });
        let input = json!({ "title": "new, depends on T001", "list": place, "files": [{ "path": "b.rs", "kind": "CREATED" }] });
        assert_eq!(ann.data(create, json!({ "input": input })).await["createTask"]["task"]["key"], "T002");
        list.read_tasks().await;
        assert_eq!((list.ready().await, list.related("T002", "blockedBy").await), (vec!["T001".to_owned()], vec!["T001".to_owned()]));
        let claim = list.claim_of("T001").await;
        done(&ann, "completeClaim", &claim).await;
        assert_eq!(list.claim(json!({})).await["paths"], json!(["b.rs"]));
        assert_eq!(list.next(json!({})).await["claim"], Value::Null);
    }
}
