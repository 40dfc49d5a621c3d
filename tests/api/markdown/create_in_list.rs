//! Tasks that are created in a list.

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::support::{ENTRY, LIST, delete, export, import, keys, merge, read, restore, task_with_key};
use crate::support::{Actor, Value, code, faults, json, on_both_databases};

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";

/// Creates a task in a list at this place.
async fn create(actor: &Actor<'_>, list: &str, title: &str, mut place: Value) -> Value {
    place["listId"] = json!(list);
    let query = CREATE.replace("{ id }", &format!("{{ {ENTRY} }}"));
    let input = json!({ "title": title, "list": place });
    actor.data(&query, json!({ "input": input })).await["createTask"]["task"].clone()
}

/// Creates a task that must be refused, and returns its faults.
async fn refused(actor: &Actor<'_>, list: &str, mut place: Value) -> Vec<String> {
    place["listId"] = json!(list);
    let error = actor.error(CREATE, json!({ "input": { "title": "x", "list": place } })).await;
    assert_eq!(code(&error), "BAD_USER_INPUT", "{error:#}");
    faults(&error)
}

on_both_databases! {
    async fn a_task_gets_a_line_at_its_place(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let last = create(&ann, &list, "Last", json!({})).await;
        assert_eq!((&last["key"], &last["phase"]["number"], &last["version"]), (&json!("T004"), &json!("2"), &json!(1)));
        // A task without a mark belongs to the story of its phase.
        assert_eq!(last["stories"], json!([{ "key": "US1" }]));
        let place = json!({ "phase": "1", "stories": ["US1", "US2"], "parallel": true, "key": "T010a" });
        create(&ann, &list, "In\nphase one", place).await;
        let first = task_with_key(&ann, &list, "T001").await;
        create(&ann, &list, "[x] after", json!({ "after": first })).await;
        let expected = LIST
            .replace("src/main.rs\n", "src/main.rs\n- [ ] T005 \\[x] after\n")
            .replace("linter\n", "linter\n- [ ] T010a [P] [US1+US2] In phase one\n");
        assert_eq!(export(&ann, &list).await, format!("{expected}- [ ] T004 Last\n"));
        assert_eq!(keys(&ann, &list, json!(null)).await, ["T001", "T005", "T002", "T010a", "T003", "T004"]);
        let read = read(&ann, &list, "version progress { done total } stories { key title }").await;
        assert_eq!(read, json!({ "version": 4, "progress": { "done": 1, "total": 6 },
            "stories": [{ "key": "US1", "title": "Ships" }, { "key": "US2", "title": null }] }));
    }

    async fn invalid_places_and_keys_are_refused(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let (first, second) = (task_with_key(&ann, &list, "T001").await, task_with_key(&ann, &list, "T002").await);
        delete(&ann, &second).await;
        let other = import(&ann, LIST).await;
        let foreign = task_with_key(&ann, &other, "T001").await;
        let stored = app.all_rows().await;
        for (place, expected) in [
            (json!({ "key": "T001" }), vec!["input.list.key taken"]),
            (json!({ "key": "T002" }), vec!["input.list.key taken"]),
            (json!({ "after": second }), vec!["input.list.after invalid"]),
            (json!({ "after": foreign }), vec!["input.list.after invalid"]),
            (json!({ "phase": "3" }), vec!["input.list.phase invalid"]),
            (json!({ "after": first, "phase": "1" }), vec!["input.list.phase conflicting"]),
            (json!({ "key": "x", "stories": ["one"] }), vec!["input.list.key invalid", "input.list.stories.0 invalid"]),
        ] {
            assert_eq!(refused(&ann, &list, place.clone()).await, expected, "{place}");
        }
        let error = ann.error(CREATE, json!({ "input": { "title": "x", "list": { "listId": "00000000-0000-7000-8000-000000000000" } } })).await;
        assert_eq!(code(&error), "NOT_FOUND");
        assert_eq!(app.all_rows().await, stored);
    }

    async fn many_tasks_are_created_one_after_the_other(app) {
        let ann = app.user("ann").await;
        let (list, other) = (import(&ann, LIST).await, import(&ann, "# Tasks: Empty\n").await);
        let query = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { key } } }";
        let input = |title: &str, list: &str| json!({ "title": title, "list": { "listId": list } });
        let inputs = [input("one", &list), input("two", &other), json!({ "title": "outside" }), input("three", &list)];
        let created = ann.data(query, json!({ "inputs": inputs })).await["createTasks"]["tasks"].clone();
        assert_eq!(created, json!([{ "key": "T004" }, { "key": "T001" }, { "key": null }, { "key": "T005" }]));
        assert_eq!(export(&ann, &list).await, format!("{LIST}- [ ] T004 one\n- [ ] T005 three\n"));
        assert!(export(&ann, &other).await.contains("- [ ] T001 two"));
        let one_wrong = [input("four", &list), json!({ "title": "x", "list": { "listId": list, "key": "T001" } })];
        let error = ann.error(query, json!({ "inputs": one_wrong })).await;
        assert_eq!(faults(&error), ["inputs.1.list.key taken"]);
        assert_eq!(keys(&ann, &list, json!(null)).await.len(), 5);
    }

    async fn a_repeated_id_creates_one_task_and_one_line(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let id = "6f1b3f2e-0000-4000-8000-000000000002";
        for _ in 0..2 {
            let input = json!({ "id": id, "title": "Once", "list": { "listId": list } });
            assert_eq!(ann.data(CREATE, json!({ "input": input })).await["createTask"]["task"]["id"], json!(id));
        }
        assert_eq!(export(&ann, &list).await, format!("{LIST}- [ ] T004 Once\n"));
    }

    async fn concurrent_tasks_get_different_keys_and_no_line_is_lost(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        join_all((0..12).map(async |n| create(&ann, &list, &format!("Task {n}"), json!({})).await)).await;
        assert_eq!(keys(&ann, &list, json!(null)).await.len(), 15);
        let exported = export(&ann, &list).await;
        for n in 0..12 {
            assert!(exported.contains(&format!(" Task {n}\n")), "{exported}");
        }
    }

    async fn a_task_made_on_the_server_survives_a_merge_at_its_place(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let first = task_with_key(&ann, &list, "T001").await;
        let id = create(&ann, &list, "Made here", json!({ "after": first })).await["id"].clone();
        let file = LIST.replace("Draw ships", "Draw all ships").replace("- [ ] T003", "- [ ] T004 A new one\n- [ ] T003");
        let payload = merge(&ann, &list, &file, json!({})).await;
        assert_eq!(payload["conflicts"], json!([]), "{payload:#}");
        let expected = file.replace("src/main.rs\n", "src/main.rs\n- [ ] T005 Made here\n");
        assert_eq!(export(&ann, &list).await, expected);
        assert_eq!(json!(task_with_key(&ann, &list, "T005").await), id);
    }

    async fn the_key_of_a_purged_task_can_be_given_again(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let last = task_with_key(&ann, &list, "T003").await;
        delete(&ann, &last).await;
        assert_eq!(create(&ann, &list, "Next", json!({})).await["key"], "T004");
        app.execute_sql("DELETE FROM tasks WHERE key IN ('T003', 'T004')").await;
        app.clock.advance(TimeDelta::seconds(1));
        assert!(!export(&ann, &list).await.contains("T003"));
        assert_eq!(create(&ann, &list, "Again", json!({})).await["key"], "T003");
        let exported = export(&ann, &list).await;
        assert!(exported.contains("- [ ] T003 Again\n") && !exported.contains("Draw ships"), "{exported}");
    }

    async fn a_restored_task_is_at_its_old_place(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let second = task_with_key(&ann, &list, "T002").await;
        delete(&ann, &second).await;
        assert_eq!(export(&ann, &list).await, LIST.replace("- [ ] T002 [P] Add the linter\n", ""));
        create(&ann, &list, "Last", json!({})).await;
        restore(&ann, &second).await;
        assert_eq!(export(&ann, &list).await, format!("{LIST}- [ ] T004 Last\n"));
        assert_eq!(keys(&ann, &list, json!(null)).await, ["T001", "T002", "T003", "T004"]);
    }
}
