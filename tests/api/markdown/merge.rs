//! The merge of a newer version of a document into a list.

use futures_util::future::join_all;

use super::support::{
    LIST, MERGE, changes, delete, export, import, keys, merge, read, restore, task_with_key, tasks, update,
};
use crate::support::{Actor, Value, code, faults, json, on_both_databases};

/// The list with other words in T002.
fn with_text(text: &str) -> String {
    LIST.replace("Add the linter", text)
}

/// Imports [`LIST`] and gives T002 another text on the server. Returns the ids of the list and of the task.
async fn reworded(ann: &Actor<'_>) -> (String, String) {
    let list = import(ann, LIST).await;
    let id = task_with_key(ann, &list, "T002").await;
    update(ann, &id, json!({ "title": "On the server" })).await;
    (list, id)
}

async fn versions(ann: &Actor<'_>, list: &str) -> Vec<Value> {
    tasks(ann, list).await.iter().map(|task| task["version"].clone()).collect()
}

on_both_databases! {
    async fn ticks_on_the_server_survive_a_file_that_inserts_and_renumbers(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let (second, third) = (task_with_key(&ann, &list, "T002").await, task_with_key(&ann, &list, "T003").await);
        update(&ann, &second, json!({ "status": "COMPLETED" })).await;
        let file = LIST.replace("T003", "T004").replace("T002", "T003")
            .replace("- [ ] T003 [P] Add", "- [ ] T002 New\n- [ ] T003 [P] Add");
        let payload = merge(&ann, &list, &file, json!({})).await;
        assert_eq!((&payload["applied"], &payload["conflicts"]), (&json!(true), &json!([])));
        assert_eq!(changes(&payload), ["ADDED T002", "RENUMBERED T003", "KEPT T003", "RENUMBERED T004"]);
        assert_eq!(payload["changes"][1]["previousKey"], "T002");
        assert_eq!(payload["changes"][1]["task"]["id"], json!(second));
        assert_eq!(payload["taskList"]["version"], 2);
        assert_eq!(keys(&ann, &list, json!(null)).await, ["T001", "T002", "T003", "T004"]);
        assert_eq!(task_with_key(&ann, &list, "T004").await, third);
        assert_eq!(export(&ann, &list).await, file.replace("[ ] T003", "[x] T003"));
        assert_eq!(versions(&ann, &list).await, [1, 1, 3, 2]);
        let again = merge(&ann, &list, &file, json!({})).await;
        assert_eq!(changes(&again), ["KEPT T003"]);
        assert_eq!(versions(&ann, &list).await, [1, 1, 3, 2]);
    }

    async fn two_tasks_can_exchange_their_keys(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let second = task_with_key(&ann, &list, "T002").await;
        let file = LIST.replace("T002", "T009").replace("T003", "T002").replace("T009", "T003");
        let payload = merge(&ann, &list, &file, json!({})).await;
        assert_eq!(changes(&payload), ["RENUMBERED T003", "RENUMBERED T002"]);
        assert_eq!(task_with_key(&ann, &list, "T003").await, second);
        assert_eq!(export(&ann, &list).await, file);
    }

    async fn the_file_ticks_reopens_rewords_moves_and_removes(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let removed = task_with_key(&ann, &list, "T003").await;
        let file = "# Tasks: Harbour map\n\n## Phase 1: Setup\n\n- [ ] T001 Create the project in src/main.rs\n\n\
                    ## Phase 7: Later\n\n- [X] T002 Another text\n";
        let payload = merge(&ann, &list, file, json!({})).await;
        assert_eq!(changes(&payload), ["REOPENED T001", "TEXT T002", "COMPLETED T002", "MOVED T002", "REMOVED T003"]);
        assert_eq!(export(&ann, &list).await, file);
        let all = tasks(&ann, &list).await;
        assert_eq!((&all[0]["status"], &all[1]["status"]), (&json!("PENDING"), &json!("COMPLETED")));
        assert_eq!((&all[1]["phase"]["number"], &all[1]["parallel"]), (&json!("7"), &json!(false)));
        restore(&ann, &removed).await;
        assert!(export(&ann, &list).await.contains("T003 [P] [US1] Draw ships in `src/ships.rs`"));
    }

    async fn a_conflict_changes_nothing_until_it_is_decided(app) {
        let ann = app.user("ann").await;
        let (list, id) = reworded(&ann).await;
        let stored = app.all_rows().await;
        let payload = merge(&ann, &list, &with_text("In the file"), json!({})).await;
        assert_eq!((&payload["applied"], payload["conflicts"].clone()), (&json!(false), json!([{
            "key": "T002", "kind": "TEXT", "base": "Add the linter", "server": "On the server", "file": "In the file",
            "task": { "id": id } }])));
        assert_eq!(app.all_rows().await, stored);
        let of_file = merge(&ann, &list, &with_text("In the file"), json!({ "onConflict": "FILE", "dryRun": true })).await;
        assert_eq!((&of_file["applied"], changes(&of_file)), (&json!(false), vec!["TEXT T002".to_owned()]));
        assert_eq!(app.all_rows().await, stored, "a dry run changes nothing");
        let decided = json!({ "resolutions": [{ "key": "T002", "use": "SERVER" }], "onConflict": "FILE" });
        let payload = merge(&ann, &list, &with_text("In the file"), decided).await;
        assert_eq!((&payload["applied"], changes(&payload)), (&json!(true), vec!["KEPT T002".to_owned()]));
        assert_eq!(export(&ann, &list).await, with_text("On the server"));
        let payload = merge(&ann, &list, &with_text("In the file"), json!({})).await;
        assert_eq!(payload["conflicts"], json!([]), "the same file has no conflict again");
    }

    async fn a_decision_without_a_conflict_is_refused(app) {
        let ann = app.user("ann").await;
        let (list, _) = reworded(&ann).await;
        let resolutions = json!([{ "key": "T002", "use": "FILE" }, { "key": "T001", "use": "FILE" }]);
        let input = json!({ "markdown": with_text("In the file"), "resolutions": resolutions });
        let error = ann.error(MERGE, json!({ "id": list, "input": input })).await;
        assert_eq!((code(&error).as_str(), faults(&error)),
            ("BAD_USER_INPUT", vec!["input.resolutions.1.key invalid".to_owned()]));
    }

    async fn with_a_revision_the_document_replaces_the_list(app) {
        let ann = app.user("ann").await;
        let (list, id) = reworded(&ann).await;
        let old = read(&ann, &list, "revision markdown").await;
        let without = LIST.replace("- [ ] T002 [P] Add the linter\n", "");
        let payload = merge(&ann, &list, &without, json!({ "revision": old["revision"] })).await;
        assert_eq!((&payload["conflicts"], changes(&payload)), (&json!([]), vec!["REMOVED T002".to_owned()]));
        assert_eq!(export(&ann, &list).await, without);
        let input = json!({ "markdown": LIST, "revision": old["revision"] });
        let error = ann.error(MERGE, json!({ "id": list, "input": input })).await;
        let current = read(&ann, &list, "revision").await["revision"].clone();
        assert_eq!((code(&error).as_str(), &error["extensions"]["currentRevision"]), ("CONFLICT", &current));
        assert_ne!(current, old["revision"]);
        restore(&ann, &id).await;
        assert_eq!(export(&ann, &list).await, with_text("On the server"));
    }

    async fn removals_of_changed_tasks_are_conflicts_on_both_sides(app) {
        let ann = app.user("ann").await;
        let (list, id) = reworded(&ann).await;
        let third = task_with_key(&ann, &list, "T003").await;
        delete(&ann, &third).await;
        let file = LIST.replace("- [ ] T002 [P] Add the linter\n", "").replace("Draw ships", "Draw all ships");
        let kinds = |payload: &Value| -> Vec<(Value, Value)> {
            let conflicts = payload["conflicts"].as_array().expect("conflicts");
            conflicts.iter().map(|conflict| (conflict["kind"].clone(), conflict["task"]["id"].clone())).collect()
        };
        let payload = merge(&ann, &list, &file, json!({})).await;
        let both = [(json!("REMOVED_ON_SERVER"), json!(third)), (json!("REMOVED_IN_FILE"), json!(id))];
        assert_eq!(kinds(&payload), both);
        let decided = json!({ "resolutions": [{ "key": "T002", "use": "SERVER" }, { "key": "T003", "use": "FILE" }] });
        let payload = merge(&ann, &list, &file, decided).await;
        assert_eq!(payload["applied"], true, "{payload:#}");
        assert!(changes(&payload).contains(&"RESTORED T003".to_owned()) && changes(&payload).contains(&"KEPT T002".to_owned()));
        let exported = export(&ann, &list).await;
        assert!(exported.contains("Draw all ships") && exported.contains("On the server"), "{exported}");
        assert_eq!(keys(&ann, &list, json!(null)).await, ["T001", "T002", "T003"]);
    }

    async fn the_export_merged_again_changes_no_task(app) {
        let ann = app.user("ann").await;
        let (list, id) = reworded(&ann).await;
        update(&ann, &id, json!({ "status": "COMPLETED", "priority": "HIGH" })).await;
        let before = app.rows("tasks").await;
        let exported = export(&ann, &list).await;
        let payload = merge(&ann, &list, &exported, json!({})).await;
        assert_eq!((&payload["applied"], payload["conflicts"].clone()), (&json!(true), json!([])));
        assert_eq!(export(&ann, &list).await, exported);
        assert_eq!(app.rows("tasks").await.len(), before.len());
        assert_eq!(versions(&ann, &list).await, [1, 3, 1]);
    }

    async fn a_status_without_a_box_survives_a_merge(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let id = task_with_key(&ann, &list, "T002").await;
        let input = json!({ "status": "BLOCKED", "priority": "CRITICAL", "labels": ["dock"], "description": "Why" });
        update(&ann, &id, input).await;
        merge(&ann, &list, &with_text("In the file"), json!({ "onConflict": "FILE" })).await;
        let task = ann.read(&id).await;
        assert_eq!((&task["status"], &task["title"], &task["priority"]),
            (&json!("BLOCKED"), &json!("In the file"), &json!("CRITICAL")));
        assert_eq!((&task["labels"], &task["description"]), (&json!(["dock"]), &json!("Why")));
    }

    async fn concurrent_merges_with_one_revision_are_applied_once(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let revision = read(&ann, &list, "revision").await["revision"].clone();
        let merges = join_all((0..8).map(async |n| {
            let input = json!({ "markdown": with_text(&format!("Text {n}")), "revision": revision });
            ann.execute(MERGE, json!({ "id": list, "input": input })).await
        })).await;
        let applied = merges.iter().filter(|response| response.body.get("errors").is_none()).count();
        assert_eq!(applied, 1);
        let refused = merges.iter().filter(|response| response.body.get("errors").is_some());
        assert!(refused.map(|response| response.code()).all(|code| code == "CONFLICT"));
    }

    async fn ticks_during_merges_are_never_lost(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let (second, third) = (task_with_key(&ann, &list, "T002").await, task_with_key(&ann, &list, "T003").await);
        for round in 0..5 {
            let complete = "mutation($id: ID!) { completeTask(id: $id) { task { id } } }";
            let file = with_text(&format!("Round {round}"));
            let ticks = async {
                ann.data(complete, json!({ "id": second })).await;
                ann.data(complete, json!({ "id": third })).await;
            };
            let (payload, ()) = futures_util::join!(merge(&ann, &list, &file, json!({ "onConflict": "FILE" })), ticks);
            assert_eq!(payload["applied"], true);
            let exported = export(&ann, &list).await;
            assert!(exported.contains("[x] T002") && exported.contains("[x] T003"), "{exported}");
            let reopen = "mutation($id: ID!) { reopenTask(id: $id) { task { id } } }";
            ann.data(reopen, json!({ "id": second })).await;
        }
    }

    async fn a_file_without_tasks_is_exported_as_it_is(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let payload = merge(&ann, &list, "# Other\n", json!({})).await;
        assert_eq!(changes(&payload), ["REMOVED T001", "REMOVED T002", "REMOVED T003"]);
        assert_eq!(export(&ann, &list).await, "# Other\n");
    }

    async fn the_unchanged_export_changes_nothing_after_changes_on_the_server(app) {
        let ann = app.user("ann").await;
        for (source, titles) in [
            ("- [ ] T001\n- [ ] T001\n", [None, None]),
            ("- [ ] T001 a\n- [ ] T001 b\n- [ ] T001\n", [None, None]),
            ("- [ ] T001 a\n- [ ] T002 b\n", [Some("b"), Some("a")]),
            ("- [ ] T001 a\n- [ ] T002 b\n", [None, Some("a")]),
        ] {
            let list = import(&ann, source).await;
            let all = tasks(&ann, &list).await;
            for (task, title) in all.iter().zip(titles) {
                let id = task["id"].as_str().expect("an id");
                match title {
                    Some(title) => update(&ann, id, json!({ "title": title })).await,
                    None if task == &all[0] => delete(&ann, id).await,
                    None => {}
                }
            }
            let (before, exported) = (tasks(&ann, &list).await, export(&ann, &list).await);
            let payload = merge(&ann, &list, &exported, json!({})).await;
            assert_eq!((&payload["applied"], &payload["conflicts"]), (&json!(true), &json!([])), "{source}");
            let ids = |tasks: &[Value]| tasks.iter().map(|task| (task["id"].clone(), task["text"].clone())).collect::<Vec<_>>();
            assert_eq!(ids(&tasks(&ann, &list).await), ids(&before), "{source}");
            assert_eq!(export(&ann, &list).await, exported);
        }
    }
}
