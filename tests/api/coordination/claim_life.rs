//! The life of a claim: how it is renewed, released and completed, how it expires, and what ends it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;

use super::support::{List, add, claim_call, done, failed, parallel_list, text};
use crate::support::{Actor, PASSWORD, TestApp, Value, json, on_both_databases};

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

/// The kind of the object with this id that `node` finds; null without one.
async fn node(actor: &Actor<'_>, id: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { __typename id } }";
    let data = actor.data(query, json!({ "id": id })).await;
    assert_eq!(data["nodes"][0], data["node"]);
    data["node"]["__typename"].clone()
}

/// Asserts that a claim of T001 has ended and stays so.
async fn assert_ended(list: &List<'_>, claim: &str, how: &str) {
    let (owner, version) = (&list.owner, list.version("T001").await);
    assert_eq!(node(owner, claim).await, Value::Null, "{how}");
    assert_eq!(failed(owner, "renewClaim", claim).await, "CONFLICT", "{how}");
    assert_eq!(failed(owner, "completeClaim", claim).await, "CONFLICT", "{how}");
    let released = done(owner, "releaseClaim", claim).await;
    assert_eq!(
        (&released["releasedClaimId"], &released["task"]["version"]),
        (&json!(claim), &json!(version)),
        "{how}"
    );
    assert_eq!(list.version("T001").await, version, "{how}");
}

/// Waits until tables have these numbers of rows.
async fn wait_for_counts(app: &TestApp, tables: &[(&str, usize)]) {
    for _ in 0..500 {
        let mut are_right = true;
        for (table, count) in tables {
            are_right &= app.rows(table).await.len() == *count;
        }
        if are_right {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the tables do not have these numbers of rows: {tables:?}");
}

on_both_databases! {
    async fn a_renewed_claim_lasts_from_now_on(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let claim = list.claim(json!({ "ttlSeconds": 60 })).await;
        let id = text(&claim["id"]);
        app.clock.advance(TimeDelta::seconds(50));
        let renew = "mutation($id: ID!, $seconds: Int!) { renewClaim(id: $id, ttlSeconds: $seconds) { claim { claimedAt expiresAt worker } } }";
        let renewed = ann.data(renew, json!({ "id": id, "seconds": 100 })).await["renewClaim"]["claim"].clone();
        assert_eq!((&renewed["claimedAt"], &renewed["worker"]), (&claim["claimedAt"], &claim["worker"]));
        let longer = time(&renewed["expiresAt"]) - time(&claim["expiresAt"]);
        assert!((TimeDelta::seconds(90)..TimeDelta::seconds(95)).contains(&longer), "{longer}");
        assert_eq!(list.version("T001").await, 2, "the claim has raised it, the renewal has not");
        app.clock.advance(TimeDelta::seconds(90));
        assert_eq!(list.claimed().await, ["T001"]);
        let shorter = ann.data(renew, json!({ "id": id, "seconds": 1 })).await["renewClaim"]["claim"].clone();
        assert!(time(&shorter["expiresAt"]) < time(&renewed["expiresAt"]) - TimeDelta::seconds(3));
        app.clock.advance(TimeDelta::seconds(2));
        assert_ended(&list, &id, "expired").await;
    }

    async fn the_default_of_a_renewal_is_fifteen_minutes(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let id = text(&list.claim(json!({ "ttlSeconds": 10 })).await["id"]);
        let renewed = done(&ann, "renewClaim", &id).await["claim"].clone();
        let lasts = time(&renewed["expiresAt"]) - time(&renewed["claimedAt"]);
        assert!((TimeDelta::seconds(900)..TimeDelta::seconds(910)).contains(&lasts), "{lasts}");
    }

    async fn a_released_task_can_be_claimed_by_another_worker(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one in a.rs", "two in a.rs"])).await;
        let id = list.claim_of("T001").await;
        let released = done(&ann, "releaseClaim", &id).await;
        let task = json!({ "id": list.task("T001"), "status": "PENDING", "version": 3, "claim": null });
        assert_eq!(released, json!({ "releasedClaimId": id, "task": task }));
        assert_ended(&list, &id, "released").await;
        assert_eq!(list.claim(json!({})).await["task"]["key"], "T001");
        assert_ended(&list, &id, "released, and another claim was made").await;
        assert_eq!(list.claimed().await, ["T001"]);
    }

    async fn a_completed_claim_completes_its_task_once(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two (depends on T001)"])).await;
        let id = list.claim_of("T001").await;
        let task = json!({ "id": list.task("T001"), "status": "COMPLETED", "version": 3, "claim": null });
        for time in ["first", "second"] {
            assert_eq!(done(&ann, "completeClaim", &id).await["task"], task, "{time}");
        }
        assert_eq!((list.ready().await, node(&ann, &id).await), (vec!["T002".to_owned()], Value::Null));
        assert_eq!(failed(&ann, "renewClaim", &id).await, "CONFLICT");
        assert_eq!(done(&ann, "releaseClaim", &id).await["task"], task);
        list.call("reopenTask", "T001").await;
        assert_eq!(done(&ann, "completeClaim", &id).await["task"]["status"], "PENDING", "the task as it is");
        assert_eq!(failed(&ann, "renewClaim", &id).await, "CONFLICT", "it does not become live again");
        list.delete("T001").await;
        assert_eq!(done(&ann, "completeClaim", &id).await["task"]["status"], "PENDING", "the task as it is, in the trash");
    }

    async fn concurrent_completions_of_one_claim_complete_its_task_once(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let id = list.claim_of("T001").await;
        let tasks = join_all((0..8).map(|_| done(&ann, "completeClaim", &id))).await;
        assert!(tasks.iter().all(|payload| payload["task"]["version"] == 3), "{tasks:#?}");
    }

    async fn an_expired_claim_is_over_and_its_worker_is_refused(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one in a.rs", "two in a.rs"])).await;
        let id = text(&list.claim(json!({ "ttlSeconds": 30 })).await["id"]);
        app.clock.advance(TimeDelta::seconds(20));
        assert_eq!((node(&ann, &id).await, list.next_key(json!({})).await), (json!("Claim"), "FILES_BUSY".to_owned()));
        app.clock.advance(TimeDelta::seconds(11));
        assert_eq!((list.claimed().await, list.version("T001").await), (Vec::<String>::new(), 2), "expiry is no change");
        assert_eq!(list.fields("T001", "ready claim { id }").await, json!({ "ready": true, "claim": null }));
        assert_eq!(list.ready().await, ["T001", "T002"]);
        assert_ended(&list, &id, "expired").await;
        let other = list.claim(json!({ "worker": "another" })).await;
        assert_eq!((&other["task"]["key"], list.version("T001").await), (&json!("T001"), 3));
        assert_ended(&list, &id, "taken over").await;
        assert_eq!(list.fields("T001", "status claim { worker }").await, json!({ "status": "PENDING", "claim": { "worker": "another" } }));
        done(&ann, "completeClaim", &text(&other["id"])).await;
        assert_ended(&list, &id, "completed by another").await;
    }

    async fn any_completion_of_the_task_ends_its_claim(app) {
        let ann = app.user("ann").await;
        let by_id = |mutation: &str| format!("mutation($id: ID!) {{ {mutation} {{ __typename }} }}");
        for mutation in [
            "completeTask(id: $id)", "completeTasks(ids: [$id])", "toggleTask(id: $id)",
            "updateTask(id: $id, input: { status: COMPLETED })", "updateTasks(ids: [$id], input: { completed: true })",
            "replaceTask(id: $id, input: { title: \"one\", status: COMPLETED })",
        ] {
            let list = List::import(&ann, &parallel_list(&["one"])).await;
            let id = list.claim_of("T001").await;
            ann.data(&by_id(mutation), json!({ "id": list.task("T001") })).await;
            assert_ended(&list, &id, mutation).await;
            list.call("reopenTask", "T001").await;
            assert_ended(&list, &id, &format!("{mutation}, then reopened")).await;
            assert_eq!(list.ready().await, ["T001"], "{mutation}");
        }
    }

    async fn the_trash_ends_a_claim_for_good(app) {
        let ann = app.user("ann").await;
        let by_id = |mutation: &str| format!("mutation($id: ID!) {{ {mutation} {{ __typename }} }}");
        for mutation in ["deleteTask(id: $id)", "deleteTasks(ids: [$id])"] {
            let list = List::import(&ann, &parallel_list(&["one in a.rs", "two in a.rs"])).await;
            let id = list.claim_of("T001").await;
            ann.data(&by_id(mutation), json!({ "id": list.task("T001") })).await;
            assert_eq!((node(&ann, &id).await, list.claimed().await), (Value::Null, Vec::<String>::new()));
            assert_eq!(failed(&ann, "renewClaim", &id).await, "CONFLICT");
            assert_eq!(failed(&ann, "completeClaim", &id).await, "CONFLICT");
            assert_eq!(done(&ann, "releaseClaim", &id).await["releasedClaimId"], json!(id));
            list.call("restoreTask", "T001").await;
            assert_ended(&list, &id, mutation).await;
            assert_eq!(list.ready().await, ["T001", "T002"]);
        }
    }

    async fn a_deleted_list_has_no_live_claims_after_it_has_been_restored(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        let id = list.claim_of("T001").await;
        ann.data("mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }", json!({ "id": list.id })).await;
        assert_eq!(node(&ann, &id).await, Value::Null);
        assert_eq!(failed(&ann, "completeClaim", &id).await, "CONFLICT");
        assert_eq!(failed(&ann, "renewClaim", &id).await, "CONFLICT");
        ann.data("mutation($id: ID!) { restoreTaskList(id: $id) { taskList { id } } }", json!({ "id": list.id })).await;
        assert_eq!(list.claimed().await, Vec::<String>::new());
        assert_ended(&list, &id, "the list was in the trash").await;
        assert_eq!(list.ready().await, ["T001", "T002"]);
    }

    async fn the_owner_can_change_a_claimed_task_in_every_way(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one in a.rs", "two"])).await;
        let id = list.claim_of("T001").await;
        list.update("T001", json!({ "title": "other words in b.rs", "priority": "HIGH" })).await;
        list.update("T001", json!({ "status": "IN_PROGRESS" })).await;
        list.update("T001", json!({ "status": "BLOCKED" })).await;
        let shown = list.fields("T001", "title status claim { id paths }").await;
        let expected = json!({ "title": "other words in b.rs", "status": "BLOCKED", "claim": { "id": id, "paths": ["a.rs"] } });
        assert_eq!(shown, expected, "the claim stays as it is");
        assert_eq!(done(&ann, "completeClaim", &id).await["task"]["status"], "COMPLETED");
    }

    async fn node_and_nodes_find_live_claims_of_the_viewer(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        let (first, second) = (list.claim_of("T001").await, list.claim_of("T002").await);
        let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Claim { worker task { key } } } }";
        let ids = json!({ "ids": [second, list.id, first] });
        let shown = |id: &str, key: &str| json!({ "id": id, "worker": "a worker", "task": { "key": key } });
        let expected = json!([shown(&second, "T002"), { "id": list.id }, shown(&first, "T001")]);
        assert_eq!(ann.data(nodes, ids.clone()).await["nodes"], expected);
        assert_eq!(bob.data(nodes, ids.clone()).await["nodes"], json!([null, null, null]));
        done(&ann, "releaseClaim", &second).await;
        assert_eq!(ann.data(nodes, ids).await["nodes"][0], Value::Null);
    }

    async fn the_deletion_of_an_account_deletes_its_claims_and_dependencies(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        for actor in [&ann, &bob] {
            let list = List::import(actor, &parallel_list(&["one", "two"])).await;
            list.claim_of("T001").await;
            add(actor, list.task("T002"), list.task("T001")).await;
        }
        let dependencies = "(SELECT task_id AS id FROM task_dependencies) AS dependencies";
        wait_for_counts(app, &[("claims", 2), (dependencies, 2)]).await;
        ann.data("mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }", json!({ "password": PASSWORD })).await;
        wait_for_counts(app, &[("claims", 1), (dependencies, 1)]).await;
    }

    async fn an_ended_claim_of_a_task_that_was_purged_is_unknown(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let id = list.claim_of("T001").await;
        app.execute_sql("DELETE FROM tasks").await;
        assert_eq!(claim_call(&ann, "releaseClaim", &id).await.code(), "NOT_FOUND");
        assert_eq!(failed(&ann, "completeClaim", &id).await, "NOT_FOUND");
    }
}
