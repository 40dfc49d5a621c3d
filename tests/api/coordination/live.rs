//! What clients that follow changes learn of claims and dependencies, by `taskChanges` as a query and as a subscription.

use chrono::TimeDelta;
use taskhold::api::Subscription;

use super::support::{List, add, done, parallel_list, remove, text};
use crate::api::subscriptions::{assert_silent, next, start, started};
use crate::support::{Actor, TestApp, Value, json, on_both_databases};

const CHANGES: &str = "changes { version task { key claim { worker } } } cursor";

/// The keys of the changed tasks, each with the worker that has a claim of it.
fn shown(page: &Value) -> Vec<String> {
    let change = |change: &Value| {
        let worker = change["task"]["claim"]["worker"].as_str().unwrap_or("-");
        format!("{} {worker}", text(&change["task"]["key"]))
    };
    page["changes"].as_array().expect("changes").iter().map(change).collect()
}

/// Reads the changes since the last call.
struct Follower<'a> {
    actor: Actor<'a>,
    cursor: Value,
}

impl<'a> Follower<'a> {
    async fn new(actor: &Actor<'a>) -> Self {
        let cursor = actor.data("{ tasks { syncCursor } }", json!({})).await["tasks"]["syncCursor"].clone();
        Self { actor: actor.clone(), cursor }
    }

    async fn changes(&mut self) -> Vec<String> {
        let query = format!("query($after: String) {{ taskChanges(after: $after) {{ {CHANGES} }} }}");
        let page = self.actor.data(&query, json!({ "after": self.cursor })).await["taskChanges"].clone();
        self.cursor = page["cursor"].clone();
        shown(&page)
    }
}

async fn subscribe(app: &TestApp, actor: &Actor<'_>, after: &Value) -> Subscription {
    let query = format!("subscription($after: String) {{ taskChanges(after: $after) {{ {CHANGES} }} }}");
    let mut subscription = started(start(app, actor, &query, json!({ "after": after }), None).await);
    assert_eq!(shown(&next(&mut subscription).await.0), Vec::<String>::new());
    subscription
}

on_both_databases! {
    async fn task_changes_reports_claims_that_are_made_released_and_completed(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        let mut follower = Follower::new(&ann).await;
        let first = list.claim_of("T001").await;
        assert_eq!(follower.changes().await, ["T001 a worker"]);
        done(&ann, "renewClaim", &first).await;
        assert_eq!(follower.changes().await, Vec::<String>::new());
        done(&ann, "releaseClaim", &first).await;
        assert_eq!(follower.changes().await, ["T001 -"]);
        done(&ann, "releaseClaim", &first).await;
        let second = text(&list.claim(json!({ "keys": ["T002"], "ttlSeconds": 20, "worker": "Bob" })).await["id"]);
        assert_eq!(follower.changes().await, ["T002 Bob"]);
        app.clock.advance(TimeDelta::seconds(21));
        assert_eq!(follower.changes().await, Vec::<String>::new(), "its expiry");
        done(&ann, "releaseClaim", &second).await;
        assert_eq!(follower.changes().await, Vec::<String>::new());
        let third = list.claim_of("T002").await;
        assert_eq!(follower.changes().await, ["T002 a worker"]);
        done(&ann, "completeClaim", &third).await;
        done(&ann, "completeClaim", &third).await;
        assert_eq!(follower.changes().await, ["T002 -"]);
        assert_eq!(list.next_key(json!({ "keys": ["T002"] })).await, "DONE");
        assert_eq!(follower.changes().await, Vec::<String>::new());
    }

    async fn task_changes_reports_the_waiting_task_of_a_changed_dependency_only(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two", "three"])).await;
        let mut follower = Follower::new(&ann).await;
        for _ in 0..2 {
            add(&ann, list.task("T002"), list.task("T001")).await;
        }
        assert_eq!(follower.changes().await, ["T002 -"]);
        add(&ann, list.task("T003"), list.task("T002")).await;
        assert_eq!(follower.changes().await, ["T003 -"]);
        list.call("completeTask", "T001").await;
        assert_eq!(follower.changes().await, ["T001 -"], "that T002 is ready now is no change of it");
        for _ in 0..2 {
            remove(&ann, list.task("T002"), list.task("T001")).await;
        }
        assert_eq!(follower.changes().await, ["T002 -"]);
    }

    async fn a_subscription_reports_claims_but_no_renewal_and_no_expiry(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        let mut subscription = subscribe(app, &ann, &Follower::new(&ann).await.cursor).await;
        let claim = text(&list.claim(json!({ "ttlSeconds": 100 })).await["id"]);
        assert_eq!(shown(&next(&mut subscription).await.0), ["T001 a worker"]);
        done(&ann, "renewClaim", &claim).await;
        assert_silent(&mut subscription).await;
        done(&ann, "completeClaim", &claim).await;
        assert_eq!(shown(&next(&mut subscription).await.0), ["T001 -"]);
        list.claim(json!({ "ttlSeconds": 1 })).await;
        assert_eq!(shown(&next(&mut subscription).await.0), ["T002 a worker"]);
        app.clock.advance(TimeDelta::seconds(2));
        assert_silent(&mut subscription).await;
        list.claim(json!({ "worker": "another" })).await;
        assert_eq!(shown(&next(&mut subscription).await.0), ["T002 another"]);
    }
}
