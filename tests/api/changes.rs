//! The query `taskChanges` and `syncCursor`: what a client that keeps a copy of the tasks can rely on.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::support::{Actor, TestApp, Value, code, faults, json, on_both_databases};

const CHANGES: &str = "query($after: String, $first: Int) { taskChanges(after: $after, first: $first) {
    changes { taskId kind version task { id title version deletedAt } } cursor hasMore } }";
const UPDATE: &str =
    "mutation($id: ID!, $title: String!) { updateTask(id: $id, input: { title: $title }) { task { id } } }";
const DELETE: &str = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";

/// A page of changes.
async fn page(actor: &Actor<'_>, after: Option<&str>, first: Option<i32>) -> Value {
    actor.data(CHANGES, json!({ "after": after, "first": first })).await["taskChanges"].clone()
}

/// The titles of a page, each with its version, and the cursor at its end.
async fn titles(actor: &Actor<'_>, after: Option<&str>) -> (Vec<String>, String) {
    let page = page(actor, after, Some(100)).await;
    assert_eq!(page["hasMore"], false);
    let title = |change: &Value| {
        assert_eq!(change["taskId"], change["task"]["id"]);
        assert_eq!(change["version"], change["task"]["version"]);
        let is_deleted = change["kind"] == "DELETED";
        assert_eq!(is_deleted, change["task"]["deletedAt"].is_string(), "{change}");
        let mark = if is_deleted { " deleted" } else { "" };
        format!("{} {}{mark}", change["task"]["title"].as_str().expect("a title"), change["version"])
    };
    (page["changes"].as_array().expect("changes").iter().map(title).collect(), cursor(&page))
}

fn cursor(page: &Value) -> String {
    page["cursor"].as_str().expect("a cursor").to_owned()
}

async fn rename(actor: &Actor<'_>, id: &str, title: &str) {
    actor.data(UPDATE, json!({ "id": id, "title": title })).await;
}

async fn delete(actor: &Actor<'_>, id: &str) {
    actor.data(DELETE, json!({ "id": id })).await;
}

async fn sync_cursor(actor: &Actor<'_>, field: &str) -> String {
    let data = actor.data(&format!("{{ {field} {{ syncCursor }} }}"), json!({})).await;
    data[field]["syncCursor"].as_str().expect("a cursor").to_owned()
}

/// The error of a query that continues after a cursor.
async fn refusal(actor: &Actor<'_>, after: &str) -> Value {
    actor.error(CHANGES, json!({ "after": after })).await
}

/// Moves the clock past the time that a task stays in the trash, and deletes the expired tasks, as the hourly
/// job does.
async fn empty_trash(app: &TestApp) {
    app.clock.advance(TimeDelta::days(31));
    app.execute_sql("DELETE FROM tasks WHERE deleted_at IS NOT NULL").await;
}

on_both_databases! {
    async fn a_task_is_reported_once_in_its_current_state(app) {
        let ann = app.user("ann").await;
        let (one, two) = (ann.task("one").await, ann.task("two").await);
        ann.task("three").await;
        let (all, start) = titles(&ann, None).await;
        assert_eq!(all, ["one 1", "two 1", "three 1"]);
        assert_eq!(titles(&ann, Some(&start)).await, (vec![], start.clone()));
        rename(&ann, &two, "zwei").await;
        rename(&ann, &one, "eins").await;
        rename(&ann, &two, "deux").await;
        let (changed, end) = titles(&ann, Some(&start)).await;
        assert_eq!(changed, ["eins 2", "deux 3"]);
        assert_eq!(titles(&ann, None).await.0, ["three 1", "eins 2", "deux 3"]);
        assert!(titles(&ann, Some(&end)).await.0.is_empty());
    }

    async fn a_task_in_the_trash_is_reported_as_deleted_until_it_is_restored(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let start = titles(&ann, None).await.1;
        delete(&ann, &id).await;
        let (changed, after_deletion) = titles(&ann, Some(&start)).await;
        assert_eq!(changed, ["one 2 deleted"]);
        assert_eq!(titles(&ann, None).await.0, ["one 2 deleted"], "a first page has the trash too");
        ann.data("mutation($id: ID!) { restoreTask(id: $id) { task { id } } }", json!({ "id": id })).await;
        assert_eq!(titles(&ann, Some(&after_deletion)).await.0, ["one 3"]);
    }

    async fn what_leaves_the_version_unchanged_is_not_reported(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let start = titles(&ann, None).await.1;
        rename(&ann, &id, "one").await;
        ann.data("mutation { updateProfile(input: { name: \"Ann B.\" }) { user { id } } }", json!({})).await;
        app.user("bob").await.task("another user's").await;
        assert_eq!(titles(&ann, Some(&start)).await, (vec![], start));
    }

    async fn pages_continue_each_other(app) {
        let ann = app.user("ann").await;
        for number in 0..7 {
            ann.task(&format!("task {number}")).await;
        }
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = page(&ann, after.as_deref(), Some(3)).await;
            let changes = page["changes"].as_array().expect("changes");
            found.extend(changes.iter().map(|change| change["task"]["title"].clone()));
            after = Some(cursor(&page));
            if page["hasMore"] == false {
                assert_eq!(changes.len(), 1);
                break;
            }
            assert_eq!(changes.len(), 3);
        }
        let expected: Vec<Value> = (0..7).map(|number| json!(format!("task {number}"))).collect();
        assert_eq!(found, expected);
        assert_eq!(page(&ann, None, None).await["changes"].as_array().map(Vec::len), Some(7));
    }

    async fn the_tasks_of_a_bulk_mutation_are_next_to_each_other(app) {
        let ann = app.user("ann").await;
        let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
        let inputs = json!({ "inputs": [{ "title": "a" }, { "title": "b" }, { "title": "c" }] });
        let tasks = ann.data(create, inputs).await["createTasks"]["tasks"].clone();
        let ids: Vec<&Value> = tasks.as_array().expect("tasks").iter().map(|task| &task["id"]).collect();
        let start = titles(&ann, None).await.1;
        let edit = "mutation($ids: [ID!]!) { updateTasks(ids: $ids, input: { status: BLOCKED }) { tasks { id } } }";
        ann.data(edit, json!({ "ids": [ids[2], ids[0]] })).await;
        rename(&ann, ids[1].as_str().expect("an id"), "later").await;
        let (mut changed, _) = titles(&ann, Some(&start)).await;
        assert_eq!(changed.pop().as_deref(), Some("later 2"));
        changed.sort();
        assert_eq!(changed, ["a 2", "c 2"]);
    }

    async fn every_change_that_raises_the_version_is_reported(app) {
        let ann = app.user("ann").await;
        let task = ann.full_task("one").await;
        let id = &task["id"];
        let (mut after, mut version) = (titles(&ann, None).await.1, 1);
        for mutation in [
            "updateTask(id: $id, input: { title: \"two\" }) { task { version } }",
            "toggleTask(id: $id) { task { version } }",
            "reopenTask(id: $id) { task { version } }",
            "completeTask(id: $id) { task { version } }",
            "updateTasks(ids: [$id], input: { priority: HIGH }) { tasks { version } }",
            "addChecklistItem(taskId: $id, input: { section: ACTION, text: \"x\" }) { task { version } }",
            "addRisk(taskId: $id, input: { description: \"x\", likelihood: LOW, impact: LOW }) { task { version } }",
            "addFileChange(taskId: $id, input: { path: \"x\", kind: CREATED }) { task { version } }",
            "replaceTask(id: $id, input: { title: \"three\" }) { task { version } }",
            "deleteTask(id: $id) { deletedTaskId }",
            "restoreTask(id: $id) { task { version } }",
            "deleteTasks(ids: [$id]) { deletedTaskIds }",
        ] {
            ann.data(&format!("mutation($id: ID!) {{ {mutation} }}"), json!({ "id": id })).await;
            version += 1;
            let (changed, cursor) = titles(&ann, Some(&after)).await;
            assert_eq!(changed.len(), 1, "{mutation}");
            assert!(changed[0].contains(&format!(" {version}")), "{mutation}: {changed:?}");
            after = cursor;
        }
    }

    async fn a_cursor_of_a_list_leads_to_every_change_that_the_list_does_not_have(app) {
        let ann = app.user("ann").await;
        let none = sync_cursor(&ann, "tasks").await;
        let id = ann.task("one").await;
        let one = sync_cursor(&ann, "tasks").await;
        assert_eq!(titles(&ann, Some(&none)).await.0, ["one 1"]);
        delete(&ann, &id).await;
        assert_eq!(titles(&ann, Some(&one)).await.0, ["one 2 deleted"]);
        let trash = sync_cursor(&ann, "trash").await;
        let nested = ann.data("{ me { tasks { syncCursor } } }", json!({})).await["me"]["tasks"].clone();
        for cursor in [&trash, &json_text(&nested["syncCursor"])] {
            assert!(titles(&ann, Some(cursor)).await.0.is_empty());
        }
    }

    async fn a_list_without_a_sync_cursor_makes_no_statement_for_it(app) {
        let ann = app.user("ann").await;
        ann.data("{ me { id } }", json!({})).await;
        let (without, _) = app.statements(ann.data("{ tasks { nodes { id } } }", json!({}))).await;
        let with = app.statements(ann.data("{ tasks { a: syncCursor nodes { id } } }", json!({}))).await.0;
        assert_eq!((without.len(), with.len()), (1, 2), "{without:?} {with:?}");
    }

    async fn a_page_is_read_with_one_statement_that_stops_at_its_end(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        titles(&ann, None).await;
        let (statements, _) = app.statements(page(&ann, None, Some(1))).await;
        assert_eq!(statements.len(), 1, "{statements:?}");
        assert!(statements[0].contains("LIMIT"), "{statements:?}");
    }

    async fn other_cursors_are_refused(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        ann.task("one").await;
        let of_list = ann.data("{ tasks { edges { cursor } } }", json!({})).await;
        let of_list = json_text(&of_list["tasks"]["edges"][0]["cursor"]);
        let of_bob = titles(&bob, None).await.1;
        for after in ["", "x", &of_list, &of_bob, &"A".repeat(44), &"A".repeat(100_000)] {
            let error = refusal(&ann, after).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["after invalid".to_owned()]));
        }
        let own = titles(&ann, None).await.1;
        let list = ann.error("query($after: String) { tasks(after: $after) { totalCount } }", json!({ "after": own })).await;
        assert_eq!(faults(&list), ["after invalid"]);
        let both = ann.error(CHANGES, json!({ "after": "x", "first": 101 })).await;
        assert_eq!(faults(&both), ["first out_of_range", "after invalid"]);
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn a_cursor_from_before_a_deletion_expires_when_the_task_leaves_the_trash_for_good(app) {
        let ann = app.user("ann").await;
        let (early, id) = (titles(&ann, None).await.1, ann.task("one").await);
        delete(&ann, &id).await;
        let late = titles(&ann, None).await.1;
        assert_eq!(titles(&ann, Some(&early)).await.0, ["one 2 deleted"]);
        empty_trash(app).await;
        let error = refusal(&ann, &early).await;
        assert_eq!(code(&error), "CURSOR_EXPIRED");
        assert_eq!(error["message"], "The changes after this cursor are no longer known. Read everything again.");
        assert!(titles(&ann, Some(&late)).await.0.is_empty());
        assert!(titles(&ann, None).await.0.is_empty());
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn a_deletion_from_before_the_first_page_expires_no_cursor_of_the_following_pages(app) {
        let ann = app.user("ann").await;
        let ids = [ann.task("one").await, ann.task("two").await, ann.task("three").await];
        delete(&ann, &ids[2]).await;
        let first = cursor(&page(&ann, None, Some(1)).await);
        empty_trash(app).await;
        assert_eq!(titles(&ann, Some(&first)).await.0, ["two 1"]);
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn the_deletion_of_another_users_task_expires_nothing(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let (cursor, id) = (titles(&ann, None).await.1, bob.task("bob's").await);
        delete(&bob, &id).await;
        empty_trash(app).await;
        assert!(titles(&ann, Some(&cursor)).await.0.is_empty());
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn a_task_whose_id_is_used_again_expires_the_cursors_from_before_its_deletion(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let early = titles(&ann, None).await.1;
        delete(&ann, &id).await;
        let late = titles(&ann, None).await.1;
        app.clock.advance(TimeDelta::days(31));
        ann.create(json!({ "id": id, "title": "again" })).await;
        assert_eq!(code(&refusal(&ann, &early).await), "CURSOR_EXPIRED");
        assert_eq!(titles(&ann, Some(&late)).await.0, ["again 1"]);
    }

    async fn a_cursor_from_the_future_of_the_database_has_expired(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let after = titles(&ann, None).await.1;
        app.execute_sql("UPDATE change_heads SET position = 0").await;
        assert_eq!(code(&refusal(&ann, &after).await), "CURSOR_EXPIRED");
    }

    async fn a_copy_by_pages_of_any_size_equals_the_tasks(app) {
        let ann = app.user("ann").await;
        let (mut copy, mut after) = (BTreeMap::new(), None);
        let mut ids = Vec::new();
        for round in 0..12_usize {
            ids.push(ann.task(&format!("task {round}")).await);
            rename(&ann, &ids[round / 3 * 3], &format!("renamed {round}")).await;
            if round % 3 == 2 {
                delete(&ann, &ids[round - 1]).await;
            }
            loop {
                let page = page(&ann, after.as_deref(), Some(1 + (round % 4) as i32)).await;
                for change in page["changes"].as_array().expect("changes") {
                    let before = copy.insert(change["taskId"].to_string(), change["task"].clone());
                    let version = |task: &Value| task["version"].as_i64();
                    assert!(before.is_none_or(|before| version(&before) < version(&change["task"])));
                }
                after = Some(cursor(&page));
                if page["hasMore"] == false {
                    break;
                }
            }
            let fields = "nodes { id title version deletedAt }";
            let both = ann.data(&format!("{{ tasks(first: 100) {{ {fields} }} trash(first: 100) {{ {fields} }} }}"), json!({})).await;
            let lists = ["tasks", "trash"].map(|list| both[list]["nodes"].as_array().cloned().expect("nodes"));
            let expected: BTreeMap<_, _> =
                lists.concat().into_iter().map(|task| (task["id"].to_string(), task)).collect();
            assert_eq!(copy, expected);
        }
    }

    async fn a_page_of_changes_costs_as_much_as_a_list_of_its_size(app) {
        let ann = app.user("ann").await;
        let items = "changes { task { checklist { children { id } } } }";
        let error = ann.error(&format!("{{ taskChanges(first: 100) {{ {items} }} }}"), json!({})).await;
        assert_eq!(code(&error), "QUERY_TOO_COMPLEX");
        ann.data(&format!("{{ taskChanges(first: 5) {{ {items} }} }}"), json!({})).await;
    }
}

fn json_text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
