//! The trash: listing and restoring deleted tasks, and their final deletion.

use std::time::Duration;

use chrono::TimeDelta;

use crate::support::{Actor, TASK, TestApp, Value, code, json, on_both_databases};

async fn delete(actor: &Actor<'_>, id: &str) {
    actor.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": id })).await;
}

async fn restore(actor: &Actor<'_>, id: &str) -> Value {
    let query = format!("mutation($id: ID!) {{ restoreTask(id: $id) {{ task {{ {TASK} }} }} }}");
    actor.data(&query, json!({ "id": id })).await["restoreTask"]["task"].clone()
}

/// Requests a page of the trash; returns the titles and the whole page.
async fn trash(actor: &Actor<'_>, arguments: Value) -> (Vec<String>, Value) {
    let query = "query($first: Int, $after: String, $last: Int, $before: String) {
        trash(first: $first, after: $after, last: $last, before: $before) {
            totalCount nodes { title deletedAt } edges { cursor }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let page = actor.data(query, arguments).await["trash"].clone();
    let nodes = page["nodes"].as_array().expect("nodes");
    let title = |node: &Value| {
        assert!(node["deletedAt"].is_string(), "{node}");
        node["title"].as_str().expect("text").to_owned()
    };
    (nodes.iter().map(title).collect(), page)
}

/// Creates tasks and deletes each one second after the previous one.
async fn deleted(app: &TestApp, actor: &Actor<'_>, titles: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for title in titles {
        let id = actor.task(title).await;
        delete(actor, &id).await;
        app.clock.advance(TimeDelta::seconds(1));
        ids.push(id);
    }
    ids
}

/// Waits until a background job has established a condition.
async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within ten seconds");
}

on_both_databases! {
    async fn a_deleted_task_is_only_in_the_trash_and_is_restored_unchanged(app) {
        let ann = app.user("ann").await;
        let mut task = ann.create(json!({
            "title": "one", "labels": ["a"], "checklist": [{ "section": "ACTION", "text": "do", "done": true }],
        })).await;
        let id = task["id"].as_str().expect("an id").to_owned();
        app.clock.advance(TimeDelta::seconds(1));
        delete(&ann, &id).await;
        assert_eq!(ann.data("{ tasks { totalCount } }", json!({})).await["tasks"]["totalCount"], 0);
        assert_eq!(trash(&ann, json!({})).await.0, ["one"]);
        for query in [
            "query($id: ID!) { task(id: $id) { id } }",
            "mutation($id: ID!) { updateTask(id: $id, input: { title: \"x\" }) { task { id } } }",
            "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }",
        ] {
            assert_eq!(code(&ann.error(query, json!({ "id": id })).await), "NOT_FOUND", "{query}");
        }
        app.clock.advance(TimeDelta::seconds(1));
        let restored = restore(&ann, &id).await;
        task["version"] = json!(3);
        assert_ne!(restored["updatedAt"], task["updatedAt"]);
        task["updatedAt"] = restored["updatedAt"].clone();
        assert_eq!(restored, task);
        let part = "query($id: ID!) { task(id: $id) { checklist { text done } } }";
        assert_eq!(ann.data(part, json!({ "id": id })).await["task"]["checklist"], json!([{ "text": "do", "done": true }]));
        assert_eq!(restore(&ann, &id).await, task, "restoring an active task changes nothing");
        assert_eq!(trash(&ann, json!({})).await.1["totalCount"], 0);
    }

    async fn the_trash_is_paged_with_the_latest_deletion_first(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        deleted(app, &ann, &["one", "two", "three", "four", "five"]).await;
        deleted(app, &bob, &["bob's"]).await;
        ann.task("live").await;
        let (titles, page) = trash(&ann, json!({ "first": 2 })).await;
        assert_eq!((titles, &page["totalCount"]), (vec!["five".to_owned(), "four".to_owned()], &json!(5)));
        assert_eq!(page["pageInfo"]["hasNextPage"], true);
        let after = &page["pageInfo"]["endCursor"];
        let (titles, page) = trash(&ann, json!({ "first": 5, "after": after })).await;
        assert_eq!((titles.join(" ").as_str(), &page["pageInfo"]["hasNextPage"]), ("three two one", &json!(false)));
        let (titles, _) = trash(&ann, json!({ "last": 2 })).await;
        assert_eq!(titles, ["two", "one"]);
        let (titles, page) = trash(&ann, json!({ "last": 1, "before": after })).await;
        assert_eq!((titles.join(" ").as_str(), &page["pageInfo"]["hasPreviousPage"]), ("five", &json!(false)));
        let tasks = "query($after: String) { tasks(after: $after) { totalCount } }";
        assert_eq!(code(&ann.error(tasks, json!({ "after": after })).await), "BAD_USER_INPUT");
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn a_deleted_task_is_inaccessible_after_exactly_thirty_days(app) {
        let ann = app.user("ann").await;
        let ids = deleted(app, &ann, &["early", "late"]).await;
        app.clock.advance(TimeDelta::days(30) - TimeDelta::milliseconds(1500));
        assert_eq!(trash(&ann, json!({})).await.0, ["late"]);
        let query = "mutation($id: ID!) { restoreTask(id: $id) { task { id } } }";
        assert_eq!(code(&ann.error(query, json!({ "id": ids[0] })).await), "NOT_FOUND");
        restore(&ann, &ids[1]).await;
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn the_trash_is_purged_by_any_number_of_instances(app) {
        let ann = app.user("ann").await;
        let live = ann.task("live").await;
        let query = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
        let input = json!({ "title": "x", "checklist": [{ "section": "ACTION", "text": "do" }],
                            "risks": [{ "description": "r", "likelihood": "LOW", "impact": "LOW" }],
                            "files": [{ "path": "p", "kind": "CREATED" }] });
        for _ in 0..5 {
            let made = ann.data(query, json!({ "inputs": vec![&input; 100] })).await["createTasks"]["tasks"].clone();
            let ids: Vec<&Value> = made.as_array().expect("tasks").iter().map(|task| &task["id"]).collect();
            let delete = "mutation($ids: [ID!]!) { deleteTasks(ids: $ids) { deletedTaskIds } }";
            ann.data(delete, json!({ "ids": ids })).await;
        }
        app.clock.advance(TimeDelta::days(29));
        let kept = deleted(app, &ann, &["kept"]).await;
        app.clock.advance(TimeDelta::days(2));
        for _ in 0..3 {
            app.start_second_instance();
        }
        eventually("expired tasks are purged", async || app.rows("tasks").await.len() == 2).await;
        let rows = app.rows("tasks").await.concat();
        assert!(rows.contains(&live) && rows.contains(&kept[0]), "{rows}");
        for table in ["checklist_items", "risks", "file_changes"] {
            assert_eq!(app.rows(table).await, Vec::<String>::new(), "{table}");
        }
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn an_id_can_be_reused_after_its_task_is_purged(app) {
        let ann = app.user("ann").await;
        let id = "01890000-0000-7000-8000-000000000001";
        ann.create(json!({ "id": id, "title": "one" })).await;
        delete(&ann, id).await;
        let again = ann.create(json!({ "id": id, "title": "two" })).await;
        assert_eq!((&again["title"], again["deletedAt"].is_string()), (&json!("one"), true));
        app.clock.advance(TimeDelta::days(30));
        let new = ann.create(json!({ "id": id, "title": "three" })).await;
        assert_eq!((&new["title"], &new["version"], &new["deletedAt"]), (&json!("three"), &json!(1), &Value::Null));
    }
}
