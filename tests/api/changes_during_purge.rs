//! A client that reads all tasks from the beginning while the trash is purged: its cursors do not expire, and its
//! copy is right in the end.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::support::{Actor, Value, json, on_both_databases};

const PAGE: &str = "query($after: String, $first: Int) { taskChanges(after: $after, first: $first) {
    changes { task { id title version deletedAt } } cursor hasMore } }";

/// Creates tasks and returns their ids.
async fn create(actor: &Actor<'_>, count: usize) -> Vec<Value> {
    let query = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
    let tasks = actor.data(query, json!({ "inputs": vec![json!({ "title": "x" }); count] })).await;
    let tasks = tasks["createTasks"]["tasks"].as_array().expect("tasks").iter();
    tasks.map(|task| task["id"].clone()).collect()
}

async fn delete(actor: &Actor<'_>, ids: &[Value]) {
    let query = "mutation($ids: [ID!]!) { deleteTasks(ids: $ids) { deletedTaskIds } }";
    actor.data(query, json!({ "ids": ids })).await;
}

on_both_databases! {
    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn a_client_that_reads_from_the_beginning_is_not_stopped_by_a_purge(app) {
        let ann = app.user("ann").await;
        let (kept, gone) = (create(&ann, 40).await, create(&ann, 60).await);
        delete(&ann, &gone).await;
        app.clock.advance(TimeDelta::days(29));
        let (mut copy, mut after, mut reads, mut is_purged) = (BTreeMap::new(), None, 0, false);
        loop {
            let page = ann.data(PAGE, json!({ "after": after, "first": 2 })).await["taskChanges"].clone();
            for change in page["changes"].as_array().expect("changes") {
                copy.insert(change["task"]["id"].to_string(), change["task"].clone());
            }
            after = Some(page["cursor"].clone());
            if page["hasMore"] == false && is_purged {
                break;
            }
            reads += 1;
            assert!(reads < 2000, "the trash is not purged");
            match reads {
                2 => delete(&ann, &kept[..3]).await,
                // The copy has the other 37 tasks and some of those that are now purged.
                30 => {
                    app.clock.advance(TimeDelta::days(2));
                    app.start_second_instance();
                }
                _ if reads > 30 && !is_purged => {
                    let edit = "mutation($id: ID!, $title: String!) {
                        updateTask(id: $id, input: { title: $title }) { task { id } } }";
                    let title = format!("changed {reads}");
                    ann.data(edit, json!({ "id": kept[3 + reads % 10], "title": title })).await;
                    is_purged = app.rows("tasks").await.len() == 40;
                }
                _ => {}
            }
        }
        let is_in_copy = |task: &Value| task["deletedAt"].as_str().is_none_or(|at| {
            let at: DateTime<Utc> = at.parse().expect("a time");
            at > app.clock.now() - TimeDelta::days(30)
        });
        copy.retain(|_, task| is_in_copy(task));
        let fields = "nodes { id title version deletedAt }";
        let lists = ann.data(&format!("{{ tasks(first: 100) {{ {fields} }} trash(first: 100) {{ {fields} }} }}"), json!({})).await;
        let listed = ["tasks", "trash"].map(|list| lists[list]["nodes"].as_array().cloned().expect("nodes"));
        let listed: BTreeMap<_, _> = listed.concat().into_iter().map(|task| (task["id"].to_string(), task)).collect();
        assert_eq!((copy.len(), &copy), (40, &listed));
    }
}
