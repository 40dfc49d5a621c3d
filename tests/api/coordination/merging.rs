//! Merges of lists with claimed tasks: a claim is no change, but a live one keeps a task from being removed unasked.

use chrono::TimeDelta;

use super::support::{List, done, failed, parallel_list};
use crate::api::markdown::support::{changes, merge};
use crate::support::{Value, json, on_both_databases};

const TEXTS: [&str; 3] = ["one in a.rs", "two", "three"];

/// The document without the line of a task.
fn without(key: &str) -> String {
    let line = |line: &&str| !line.contains(key);
    parallel_list(&TEXTS).lines().filter(line).map(|line| format!("{line}\n")).collect()
}

/// The kinds and keys of the conflicts of a merge.
fn conflicts(payload: &Value) -> Vec<String> {
    let conflicts = payload["conflicts"].as_array().expect("conflicts").iter();
    conflicts
        .map(|one| format!("{} {}", one["kind"].as_str().unwrap_or(""), one["key"].as_str().unwrap_or("")))
        .collect()
}

on_both_databases! {
    async fn neither_a_claim_nor_its_end_is_a_change_on_the_server(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&TEXTS)).await;
        let id = list.claim_of("T002").await;
        done(&ann, "releaseClaim", &id).await;
        list.claim(json!({ "keys": ["T002"], "ttlSeconds": 10 })).await;
        app.clock.advance(TimeDelta::seconds(11));
        let payload = merge(&ann, &list.id, &parallel_list(&TEXTS), json!({})).await;
        assert_eq!((&payload["applied"], changes(&payload)), (&json!(true), vec![]));
        let payload = merge(&ann, &list.id, &without("T002"), json!({})).await;
        assert_eq!((&payload["applied"], changes(&payload)), (&json!(true), vec!["REMOVED T002".to_owned()]));
    }

    async fn a_merge_that_keeps_a_claimed_task_keeps_its_claim(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&TEXTS)).await;
        let id = list.claim_of("T001").await;
        let version = list.version("T001").await;
        let payload = merge(&ann, &list.id, &parallel_list(&TEXTS).replace("three", "four"), json!({})).await;
        assert_eq!(changes(&payload), ["TEXT T003"]);
        assert_eq!((list.claimed().await, list.version("T001").await), (vec!["T001".to_owned()], version));
        let payload = merge(&ann, &list.id, &parallel_list(&TEXTS).replace("one", "uno"), json!({})).await;
        assert_eq!((conflicts(&payload), changes(&payload)), (vec![], vec!["TEXT T001".to_owned(), "TEXT T003".to_owned()]));
        let renumbered = parallel_list(&TEXTS).replace("one", "uno").replace("T001", "T011");
        assert_eq!(changes(&merge(&ann, &list.id, &renumbered, json!({})).await), ["RENUMBERED T011"]);
        assert_eq!((list.claimed().await, list.read("claims { paths }").await["claims"].clone()), (vec!["T011".to_owned()], json!([{ "paths": ["a.rs"] }])));
        assert_eq!(done(&ann, "completeClaim", &id).await["task"]["id"], json!(list.task("T001")));
    }

    async fn the_file_removes_a_claimed_task_only_with_a_decision(app) {
        let ann = app.user("ann").await;
        for with_revision in [false, true] {
            let list = List::import(&ann, &parallel_list(&TEXTS)).await;
            let id = list.claim_of("T002").await;
            let revision = async || if with_revision { list.read("revision").await["revision"].clone() } else { Value::Null };
            let file = without("T002");
            let decided = async |decision: Value| {
                let mut input = decision;
                input["revision"] = revision().await;
                merge(&ann, &list.id, &file, input).await
            };
            let payload = decided(json!({})).await;
            assert_eq!((&payload["applied"], conflicts(&payload)), (&json!(false), vec!["REMOVED_IN_FILE T002".to_owned()]));
            let payload = decided(json!({ "onConflict": "FILE", "dryRun": true })).await;
            assert_eq!((&payload["applied"], list.claimed().await), (&json!(false), vec!["T002".to_owned()]));

            let payload = decided(json!({ "resolutions": [{ "key": "T002", "use": "SERVER" }] })).await;
            assert_eq!((&payload["applied"], changes(&payload)), (&json!(true), vec!["KEPT T002".to_owned()]));
            assert_eq!(list.claimed().await, ["T002"]);
            assert_eq!(done(&ann, "renewClaim", &id).await["claim"]["id"], json!(id));
        }
    }

    async fn the_decision_for_the_file_ends_the_claim(app) {
        let ann = app.user("ann").await;
        for with_revision in [false, true] {
            let list = List::import(&ann, &parallel_list(&TEXTS)).await;
            let id = list.claim_of("T001").await;
            let mut input = json!({ "onConflict": "FILE" });
            if with_revision {
                input["revision"] = list.read("revision").await["revision"].clone();
            }
            let payload = merge(&ann, &list.id, &without("T001"), input).await;
            assert_eq!((&payload["applied"], changes(&payload)), (&json!(true), vec!["REMOVED T001".to_owned()]));
            assert_eq!(list.claimed().await, Vec::<String>::new());
            for restored in [false, true] {
                assert_eq!(failed(&ann, "completeClaim", &id).await, "CONFLICT", "restored: {restored}");
                assert_eq!(failed(&ann, "renewClaim", &id).await, "CONFLICT", "restored: {restored}");
                list.call("restoreTask", "T001").await;
            }
            assert_eq!(list.claimed().await, Vec::<String>::new());
        }
    }

    async fn a_file_that_ticks_a_claimed_task_ends_its_claim(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&TEXTS)).await;
        let id = list.claim_of("T001").await;
        let ticked = parallel_list(&TEXTS).replace("[ ] T001", "[x] T001");
        let payload = merge(&ann, &list.id, &ticked, json!({})).await;
        assert_eq!((conflicts(&payload), changes(&payload)), (vec![], vec!["COMPLETED T001".to_owned()]));
        assert_eq!((list.claimed().await, failed(&ann, "completeClaim", &id).await), (vec![], "CONFLICT".to_owned()));
        merge(&ann, &list.id, &parallel_list(&TEXTS), json!({})).await;
        assert_eq!((list.claimed().await, list.fields("T001", "ready").await["ready"].clone()), (vec![], json!(true)));
    }

    async fn the_tick_of_a_completed_claim_is_kept_by_a_merge(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&TEXTS)).await;
        let id = list.claim_of("T001").await;
        done(&ann, "completeClaim", &id).await;
        let payload = merge(&ann, &list.id, &parallel_list(&TEXTS), json!({})).await;
        assert_eq!((&payload["applied"], changes(&payload)), (&json!(true), vec!["KEPT T001".to_owned()]));
        assert_eq!(list.fields("T001", "status").await["status"], "COMPLETED");
    }

    async fn a_claimed_task_that_was_changed_keeps_its_change_after_the_claim_has_ended(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&TEXTS)).await;
        list.update("T002", json!({ "title": "other words" })).await;
        let id = list.claim_of("T002").await;
        done(&ann, "releaseClaim", &id).await;
        let payload = merge(&ann, &list.id, &without("T002"), json!({})).await;
        assert_eq!((&payload["applied"], conflicts(&payload)), (&json!(false), vec!["REMOVED_IN_FILE T002".to_owned()]));
    }
}
