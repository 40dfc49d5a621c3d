//! Concurrent changes of a task and its parts: none is lost, executed twice or done partially.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;

use crate::support::{Actor, GraphqlResponse, TestApp, Value, code, faults, json, on_both_databases};

const ADD: &str = "mutation($id: ID!, $text: String!, $before: ID) {
    addChecklistItem(taskId: $id, input: { section: ACTION, text: $text }, before: $before) { item { id } task { version } } }";
const MOVE: &str = "mutation($id: ID!, $before: ID) {
    moveChecklistItem(id: $id, before: $before) { task { version } } }";
const READ: &str = "query($id: ID!) { task(id: $id) {
    version labels checklist { id text } risks { id } files { id } progress { done total } } }";

fn succeeded(response: &GraphqlResponse) -> bool {
    response.body.get("errors").is_none()
}

/// The number of successful responses, after a check that the others have one of these codes.
fn count_successes(responses: &[GraphqlResponse], refusals: &[&str]) -> usize {
    for response in responses.iter().filter(|response| !succeeded(response)) {
        assert!(refusals.contains(&response.code().as_str()), "{:#}", response.body);
    }
    responses.iter().filter(|response| succeeded(response)).count()
}

/// A value from the data of each response; all responses must be successful.
fn data_of_all(responses: &[GraphqlResponse], pointer: &str) -> Vec<Value> {
    let data = |response: &GraphqlResponse| {
        assert!(succeeded(response), "{:#}", response.body);
        response.body["data"].pointer(pointer).expect("the field was selected").clone()
    };
    responses.iter().map(data).collect()
}

/// The set of versions that the changes returned.
fn versions(responses: &[GraphqlResponse], field: &str) -> BTreeSet<i64> {
    let versions = data_of_all(responses, &format!("/{field}/task/version"));
    versions.iter().map(|version| version.as_i64().expect("a number")).collect()
}

async fn read(actor: &Actor<'_>, id: &str) -> Value {
    actor.data(READ, json!({ "id": id })).await["task"].clone()
}

/// The rows of all tasks, including those in the trash.
async fn task_rows(app: &TestApp) -> Vec<Value> {
    let rows = app.rows("tasks").await;
    rows.iter().map(|row| serde_json::from_str(row).expect("a row is JSON")).collect()
}

on_both_databases! {
    async fn of_concurrent_toggles_of_each_version_one_succeeds(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let toggle = "mutation($id: ID!, $version: Int) {
            toggleTask(id: $id, expectedVersion: $version) { task { version } } }";
        for version in 1..6 {
            let all = join_all((0..30).map(|_| ann.execute(toggle, json!({ "id": id, "version": version })))).await;
            assert_eq!(count_successes(&all, &["CONFLICT"]), 1, "version {version}");
            for response in all.iter().filter(|response| !succeeded(response)) {
                assert_eq!(response.error()["extensions"]["currentVersion"], version + 1, "{:#}", response.body);
            }
        }
        assert_eq!(read(&ann, &id).await["version"], 6);
    }

    async fn concurrently_added_labels_are_all_stored(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let add = "mutation($id: ID!, $labels: [String!]) {
            updateTask(id: $id, input: { addLabels: $labels }) { task { version } } }";
        let labels: Vec<String> = (10..30).map(|n| format!("Label {n}")).collect();
        let all = join_all(labels.iter().map(|label| ann.execute(add, json!({ "id": id, "labels": [label] })))).await;
        assert_eq!(versions(&all, "updateTask"), (2..=21).collect());
        let task = read(&ann, &id).await;
        let mut kept: Vec<&str> = task["labels"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        kept.sort_unstable();
        assert_eq!((kept, &task["version"]), (labels.iter().map(String::as_str).collect(), &json!(21)));
    }

    async fn concurrently_added_and_moved_items_are_all_stored_in_one_order(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let last = ann.data(ADD, json!({ "id": id, "text": "last" })).await["addChecklistItem"]["item"]["id"].clone();
        let added = join_all((0..30).map(|n| {
            ann.execute(ADD, json!({ "id": id, "text": format!("step {n}"), "before": last }))
        })).await;
        assert_eq!(versions(&added, "addChecklistItem"), (3..=32).collect());
        let mut ids = data_of_all(&added, "/addChecklistItem/item/id");
        ids.push(last.clone());
        let sorted = |items: &Value| {
            let mut ids: Vec<String> = items.as_array().expect("a list").iter().map(|item| item["id"].to_string()).collect();
            ids.sort();
            ids
        };
        let mut expected: Vec<String> = ids.iter().map(Value::to_string).collect();
        expected.sort();
        let before = read(&ann, &id).await;
        assert_eq!(sorted(&before["checklist"]), expected);
        assert_eq!(before["checklist"][30]["id"], last);

        let moves = (0..30).map(|n| {
            let before = if n % 7 == 0 { &Value::Null } else { &ids[(n * 13 + 5) % 31] };
            let moved = &ids[(n * 11) % 31];
            ann.execute(MOVE, json!({ "id": moved, "before": if moved == before { &Value::Null } else { before } }))
        });
        let mut seen = versions(&join_all(moves).await, "moveChecklistItem");
        let after = read(&ann, &id).await;
        assert_eq!(sorted(&after["checklist"]), expected);
        assert_eq!(read(&ann, &id).await, after);
        assert_ne!(after["checklist"], before["checklist"]);
        // A move to the current position changes nothing.
        seen.insert(32);
        assert_eq!(seen, (32..=after["version"].as_i64().expect("a number")).collect());
    }

    async fn concurrently_added_and_completed_parts_are_all_counted(app) {
        let ann = app.user("ann").await;
        let things = ann.full_task("one").await;
        let id = things["id"].as_str().expect("an id");
        let risk = "mutation($id: ID!) {
            addRisk(taskId: $id, input: { description: \"x\", likelihood: LOW, impact: LOW }) { risk { id } } }";
        let file = "mutation($id: ID!) {
            addFileChange(taskId: $id, input: { path: \"x\", kind: CREATED }) { file { id } } }";
        let (items, risks, files) = join!(
            join_all((0..10).map(|_| ann.execute(ADD, json!({ "id": id, "text": "x" })))),
            join_all((0..10).map(|_| ann.execute(risk, json!({ "id": id })))),
            join_all((0..10).map(|_| ann.execute(file, json!({ "id": id })))),
        );
        let task = read(&ann, id).await;
        let count = |list: &str| task[list].as_array().map(Vec::len);
        assert_eq!((["checklist", "risks", "files"].map(count), &task["version"]), ([Some(11); 3], &json!(31)));

        let items = data_of_all(&items, "/addChecklistItem/item/id");
        let complete = "mutation($id: ID!) { updateChecklistItem(id: $id, input: { done: true }) { task { version } } }";
        let remove_risk = "mutation($id: ID!) { removeRisk(id: $id) { task { version } } }";
        let remove_file = "mutation($id: ID!) { removeFileChange(id: $id) { task { version } } }";
        let (risks, files) = (data_of_all(&risks, "/addRisk/risk/id"), data_of_all(&files, "/addFileChange/file/id"));
        let (completed, no_risks, no_files) = join!(
            join_all(items.iter().map(|id| ann.execute(complete, json!({ "id": id })))),
            join_all(risks.iter().map(|id| ann.execute(remove_risk, json!({ "id": id })))),
            join_all(files.iter().map(|id| ann.execute(remove_file, json!({ "id": id })))),
        );
        let mut seen = versions(&completed, "updateChecklistItem");
        seen.extend(versions(&no_risks, "removeRisk"));
        seen.extend(versions(&no_files, "removeFileChange"));
        assert_eq!(seen, (32..=61).collect());
        let task = read(&ann, id).await;
        assert_eq!((&task["progress"], &task["version"]), (&json!({ "done": 10, "total": 11 }), &json!(61)));
        assert_eq!((&task["risks"], &task["files"]), (&json!([{ "id": things["risk"] }]), &json!([{ "id": things["file"] }])));
    }

    async fn of_concurrent_additions_at_a_limit_one_succeeds(app) {
        let ann = app.user("ann").await;
        let labels: Vec<String> = (0..19).map(|n| format!("label {n}")).collect();
        let id = ann.create(json!({
            "title": "nearly full", "labels": labels,
            "checklist": vec![json!({ "section": "ACTION", "text": "x" }); 499],
            "risks": vec![json!({ "description": "x", "likelihood": "LOW", "impact": "LOW" }); 99],
            "files": vec![json!({ "path": "x", "kind": "DELETED" }); 499],
        })).await["id"].clone();
        for (call, fault) in [
            ("addChecklistItem(taskId: $id, input: { section: ACTION, text: $text })", "input too_many"),
            ("addRisk(taskId: $id, input: { description: $text, likelihood: LOW, impact: LOW })", "input too_many"),
            ("addFileChange(taskId: $id, input: { path: $text, kind: CREATED })", "input too_many"),
            ("updateTask(id: $id, input: { addLabels: [$text] })", "input.addLabels too_many"),
        ] {
            let query = format!("mutation($id: ID!, $text: String!) {{ {call} {{ task {{ id }} }} }}");
            let all = join_all((0..10).map(|n| ann.execute(&query, json!({ "id": id, "text": format!("new {n}") })))).await;
            assert_eq!(count_successes(&all, &["BAD_USER_INPUT"]), 1, "{call}");
            let refused = all.iter().filter(|response| !succeeded(response));
            assert!(refused.map(|response| faults(&response.error())).all(|found| found == [fault]), "{call}");
        }
        assert_eq!(read(&ann, id.as_str().expect("an id")).await["version"], 5);
    }

    async fn a_task_with_a_client_chosen_id_is_created_once(app) {
        let ann = app.user("ann").await;
        let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task {
            id title version createdAt checklist { id text } risks { id } labels } } }";
        let id = "0193f000-0000-7000-8000-00000000000A";
        let inputs = (0..20).map(|n| json!({ "id": id, "title": format!("try {n}"), "labels": [n.to_string()],
            "checklist": [{ "section": "ACTION", "text": format!("step {n}") }] }));
        let all = join_all(inputs.map(|input| ann.execute(create, json!({ "input": input })))).await;
        let made = data_of_all(&all, "/createTask/task");
        assert!(made.iter().all(|task| *task == made[0]), "{made:#?}");
        assert_eq!((&made[0]["id"], &made[0]["version"]), (&json!(id.to_lowercase()), &json!(1)));
        assert_eq!((app.rows("tasks").await.len(), app.rows("checklist_items").await.len()), (1, 1));
    }

    async fn tasks_with_client_chosen_ids_are_created_once_by_bulk_calls_in_any_order(app) {
        let ann = app.user("ann").await;
        let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id title } } }";
        let mut inputs: Vec<Value> =
            (0..10).map(|n| json!({ "id": format!("0193f000-0000-7000-8000-{n:012}"), "title": format!("task {n}") })).collect();
        let upwards = json!({ "inputs": inputs });
        inputs.reverse();
        let downwards = json!({ "inputs": inputs });
        let calls = (0..12).map(|n| ann.execute(create, if n % 2 == 0 { upwards.clone() } else { downwards.clone() }));
        let all = join_all(calls).await;
        assert!(count_successes(&all, &["CONFLICT"]) > 0);
        for (n, response) in all.iter().enumerate().filter(|(_, response)| succeeded(response)) {
            let sent = if n % 2 == 0 { &upwards } else { &downwards };
            assert_eq!(response.body["data"]["createTasks"]["tasks"], sent["inputs"]);
        }
        assert_eq!(app.rows("tasks").await.len(), 10);
    }

    async fn concurrent_bulk_calls_on_the_same_tasks_are_atomic(app) {
        let ann = app.user("ann").await;
        let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
        let update = "mutation($ids: [ID!]!, $title: String) {
            updateTasks(ids: $ids, input: { title: $title }) { tasks { id } } }";
        let delete = "mutation($ids: [ID!]!) { deleteTasks(ids: $ids) { deletedTaskIds } }";
        for round in 0..4 {
            app.execute_sql("DELETE FROM tasks").await;
            let inputs: Vec<Value> = (0..20).map(|n| json!({ "title": n.to_string() })).collect();
            let made = ann.data(create, json!({ "inputs": inputs })).await["createTasks"]["tasks"].clone();
            let upwards: Vec<&Value> = made.as_array().expect("a list").iter().map(|task| &task["id"]).collect();
            let downwards: Vec<&Value> = upwards.iter().rev().copied().collect();
            let (updates, deletes) = join!(
                join_all((0..6).map(|n| {
                    let ids = if n % 2 == 0 { &upwards } else { &downwards };
                    ann.execute(update, json!({ "ids": ids, "title": format!("{round} {n}") }))
                })),
                join_all((0..2).map(|n| {
                    ann.execute(delete, json!({ "ids": if n % 2 == 0 { &downwards } else { &upwards } }))
                })),
            );
            let refusals = ["NOT_FOUND", "CONFLICT"];
            let (updated, deleted) = (count_successes(&updates, &refusals), count_successes(&deletes, &refusals));
            assert!(deleted <= 1, "deleted twice");
            let rows = task_rows(app).await;
            assert_eq!(rows.len(), 20);
            for row in &rows {
                assert_eq!(row["version"], 1 + updated + deleted, "{row:#}");
                assert_eq!(row["deleted_at"].is_null(), deleted == 0, "{row:#}");
                assert!(updated == 0 || row["title"] == rows[0]["title"], "{rows:#?}");
            }
        }
    }

    async fn concurrent_deletions_and_restorations_are_all_counted(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let delete = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
        let restore = "mutation($id: ID!) { restoreTask(id: $id) { task { id version deletedAt } } }";
        let (mut deleted, mut restored) = (0, BTreeSet::new());
        for _ in 0..3 {
            let (deletes, restores) = join!(
                join_all((0..10).map(|_| ann.execute(delete, json!({ "id": id })))),
                join_all((0..10).map(|_| ann.execute(restore, json!({ "id": id })))),
            );
            deleted += count_successes(&deletes, &["NOT_FOUND"]);
            assert_eq!(count_successes(&restores, &[]), 10);
            let tasks = data_of_all(&restores, "/restoreTask/task");
            assert!(tasks.iter().all(|task| task["deletedAt"].is_null()), "{tasks:#?}");
            restored.extend(tasks.iter().filter_map(|task| task["version"].as_u64()));
        }
        let row = task_rows(app).await.remove(0);
        let is_live = row["deleted_at"].is_null();
        // Every deletion has been undone once, except the last one if the task is in the trash.
        assert_eq!(row["version"], if is_live { 1 + 2 * deleted } else { 2 * deleted }, "{row:#}");
        assert!(restored.iter().all(|version| version % 2 == 1), "restored versions {restored:?}");
        let seen = ann.data("{ tasks { totalCount } trash { totalCount } }", json!({})).await;
        let (live, gone) = if is_live { (1, 0) } else { (0, 1) };
        assert_eq!(seen, json!({ "tasks": { "totalCount": live }, "trash": { "totalCount": gone } }));
    }

    async fn a_part_added_during_a_deletion_is_stored_or_refused(app) {
        let ann = app.user("ann").await;
        let delete = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
        let restore = "mutation($id: ID!) { restoreTask(id: $id) { task { version } } }";
        for _ in 0..5 {
            let id = ann.task("one").await;
            let (adds, gone) = join!(
                join_all((0..6).map(|_| ann.execute(ADD, json!({ "id": id, "text": "x" })))),
                ann.execute(delete, json!({ "id": id })),
            );
            assert!(succeeded(&gone), "{:#}", gone.body);
            let added = count_successes(&adds, &["NOT_FOUND"]);
            ann.data(restore, json!({ "id": id })).await;
            let task = read(&ann, &id).await;
            assert_eq!((task["checklist"].as_array().map(Vec::len), &task["version"]), (Some(added), &json!(3 + added)));
        }
    }

    async fn an_item_is_removed_once_together_with_its_sub_items(app) {
        let ann = app.user("ann").await;
        let create = "mutation($input: CreateTaskInput!) {
            createTask(input: $input) { task { id checklist { id children { id } } } } }";
        let step = json!({ "section": "ACTION", "text": "a step" });
        let phase = json!({ "section": "ACTION", "text": "a phase", "children": vec![step; 8] });
        let input = json!({ "input": { "title": "x", "checklist": [phase] } });
        let task = ann.data(create, input).await["createTask"]["task"].clone();
        let remove = "mutation($id: ID!) { removeChecklistItem(id: $id) { removedId } }";
        let steps = task["checklist"][0]["children"].as_array().expect("a list");
        let phase = (0..4).map(|_| &task["checklist"][0]["id"]);
        let ids: Vec<&Value> = steps.iter().map(|step| &step["id"]).chain(phase).collect();
        let all = join_all(ids.iter().map(|id| ann.execute(remove, json!({ "id": id })))).await;
        let done = count_successes(&all, &["NOT_FOUND"]);
        assert_eq!(all[8..].iter().filter(|response| succeeded(response)).count(), 1);
        assert!(app.rows("checklist_items").await.is_empty());
        assert_eq!(read(&ann, task["id"].as_str().expect("an id")).await["version"], 1 + done);
        let again = ann.error(remove, json!({ "id": ids[0] })).await;
        assert_eq!(code(&again), "NOT_FOUND");
    }

    async fn a_removed_label_frees_capacity_for_an_added_one(app) {
        let ann = app.user("ann").await;
        let labels: Vec<String> = (0..20).map(|n| format!("Label {n}")).collect();
        let id = ann.create(json!({ "title": "full", "labels": labels })).await["id"].clone();
        let query = "mutation($id: ID!) {
            updateTask(id: $id, input: { addLabels: [\"new\", \"LABEL 3\"], removeLabels: [\"LABEL 7\"] }) { task { labels } } }";
        let mut expected = labels;
        expected.remove(7);
        expected.push("new".to_owned());
        assert_eq!(ann.data(query, json!({ "id": id })).await["updateTask"]["task"]["labels"], json!(expected));
    }

    async fn all_faults_of_conflicting_label_arguments_are_reported(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let query = "mutation($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { task { id } } }";
        let input = json!({ "labels": [""], "addLabels": ["a\nb"], "removeLabels": ["x", " "] });
        let mut found = faults(&ann.error(query, json!({ "id": id, "input": input })).await);
        found.sort_unstable();
        assert_eq!(found, ["input.addLabels.0 invalid", "input.labels conflicting", "input.labels.0 required",
                          "input.removeLabels.1 required"]);
    }

    async fn a_bulk_call_accepts_a_hundred_distinct_ids_and_repetitions(app) {
        let ann = app.user("ann").await;
        let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
        let steps = vec![json!({ "section": "ACTION", "text": "x" }); 100];
        let inputs = vec![json!({ "title": "x", "checklist": steps }); 100];
        let made = ann.data(create, json!({ "inputs": inputs })).await["createTasks"]["tasks"].clone();
        let ids: Vec<&Value> = made.as_array().expect("a list").iter().map(|task| &task["id"]).collect();
        assert_eq!(app.rows("checklist_items").await.len(), 10_000);
        let repeated: Vec<Value> =
            ids.iter().map(|id| json!(id.as_str().map(str::to_uppercase))).chain(ids.iter().map(|id| json!(id))).collect();
        let update = "mutation($ids: [ID!]!) { updateTasks(ids: $ids, input: { title: \"y\" }) { tasks { id version } } }";
        let tasks = ann.data(update, json!({ "ids": repeated })).await;
        let tasks = tasks["updateTasks"]["tasks"].as_array().expect("a list").clone();
        assert!(tasks.iter().all(|task| task["version"] == 2));
        assert_eq!(tasks.iter().map(|task| &task["id"]).collect::<Vec<_>>(), ids);
        let delete = "mutation($ids: [ID!]!) { deleteTasks(ids: $ids) { deletedTaskIds } }";
        assert_eq!(ann.data(delete, json!({ "ids": ids })).await["deleteTasks"]["deletedTaskIds"], json!(ids));
    }

    async fn cursors_of_the_trash_and_of_the_list_are_not_interchangeable(app) {
        let ann = app.user("ann").await;
        let (one, two) = (ann.task("one").await, ann.task("two").await);
        ann.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": one })).await;
        let page = "{ tasks { nodes { id } pageInfo { endCursor } } trash { nodes { id } pageInfo { endCursor } } }";
        let seen = ann.data(page, json!({})).await;
        assert_eq!((&seen["tasks"]["nodes"], &seen["trash"]["nodes"]), (&json!([{ "id": two }]), &json!([{ "id": one }])));
        for (list, other) in [("tasks", "trash"), ("trash", "tasks")] {
            let query = format!("query($after: String) {{ {list}(after: $after) {{ nodes {{ id }} }} }}");
            let own = ann.data(&query, json!({ "after": seen[list]["pageInfo"]["endCursor"] })).await;
            assert_eq!(own[list]["nodes"], json!([]));
            let error = ann.error(&query, json!({ "after": seen[other]["pageInfo"]["endCursor"] })).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["after invalid".to_owned()]), "{list}");
        }
    }
}
