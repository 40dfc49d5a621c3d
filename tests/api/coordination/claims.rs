//! Claims of the next task: which one is taken, the reasons when there is none, and the values of the input.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;

use super::support::{CLAIM, List, UNKNOWN_ID, claim_next, done, failed, list_of, parallel_list, text};
use crate::support::{Value, faults, json, on_both_databases};

/// A document with two stories and a task of both.
const STORIES: &str = "\
# Tasks: Example

- [ ] T001 [P] one
- [ ] T002 [P] [US1] two
- [ ] T003 [P] [US2] three
- [ ] T004 [P] [US1+US2] four
";

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

on_both_databases! {
    async fn ready_tasks_are_claimed_in_the_order_of_the_document(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &list_of(&["one", "two"], "")).await;
        let claim = list.claim(json!({ "worker": "  Ann's agent \n" })).await;
        assert_eq!(claim["task"], json!({ "id": list.task("T001"), "key": "T001" }));
        assert_eq!((&claim["worker"], &claim["paths"]), (&json!("Ann's agent"), &json!([])));
        assert_eq!(time(&claim["expiresAt"]) - time(&claim["claimedAt"]), TimeDelta::seconds(900), "the default");
        assert!((time(&claim["claimedAt"]) - app.clock.now()).abs() < TimeDelta::seconds(20));
        assert_eq!(list.fields("T001", &format!("status version claim {{ {CLAIM} }}")).await,
                   json!({ "status": "PENDING", "version": 2, "claim": claim }));
        assert_eq!(list.read(&format!("claims {{ {CLAIM} }}")).await["claims"], json!([claim]));

        let payload = list.next(json!({})).await;
        assert_eq!(payload, json!({ "claim": null, "reason": "WAITING", "retryAt": claim["expiresAt"] }));
        done(&ann, "completeClaim", &text(&claim["id"])).await;
        assert_eq!(list.next_key(json!({})).await, "T002");
    }

    async fn the_claims_of_a_list_are_listed_oldest_first(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two", "three"])).await;
        for key in ["T003", "T001", "T002"] {
            list.claim_of(key).await;
            app.clock.advance(TimeDelta::seconds(1));
        }
        assert_eq!(list.claimed().await, ["T003", "T001", "T002"]);
    }

    async fn only_tasks_that_the_filters_allow_are_considered(app) {
        let ann = app.user("ann").await;
        for (input, expected) in [
            (json!({}), ["T001", "T002", "T003", "T004", "WAITING"]),
            (json!({ "stories": null, "keys": null }), ["T001", "T002", "T003", "T004", "WAITING"]),
            (json!({ "stories": ["US2"] }), ["T003", "T004", "WAITING", "WAITING", "WAITING"]),
            (json!({ "stories": ["US2", "US1"] }), ["T002", "T003", "T004", "WAITING", "WAITING"]),
            (json!({ "stories": ["US9"] }), ["DONE"; 5]),
            (json!({ "stories": [] }), ["DONE"; 5]),
            (json!({ "keys": [] }), ["DONE"; 5]),
            (json!({ "keys": ["T004", "T001", "T009"] }), ["T001", "T004", "WAITING", "WAITING", "WAITING"]),
            (json!({ "keys": ["T001", "T004"], "stories": ["US1"] }), ["T004", "WAITING", "WAITING", "WAITING", "WAITING"]),
            (json!({ "keys": ["T001"], "stories": [] }), ["DONE"; 5]),
            (json!({ "keys": ["t001"] }), ["DONE"; 5]),
        ] {
            let list = List::import(&ann, STORIES).await;
            for expected in expected {
                assert_eq!(list.next_key(input.clone()).await, expected, "{input}");
            }
        }
    }

    async fn a_task_belongs_to_the_story_of_its_phase(app) {
        let ann = app.user("ann").await;
        let document = "# Tasks: Example\n\n## Phase 1: User Story 1 - Ships\n\n- [ ] T001 [P] one\n- [ ] T002 [P] [US2] two\n";
        let list = List::import(&ann, document).await;
        assert_eq!(list.next_key(json!({ "stories": ["US2"] })).await, "T002");
        assert_eq!(list.next_key(json!({ "stories": ["US1"] })).await, "T001");
    }

    async fn the_reason_says_why_there_is_no_claim(app) {
        let ann = app.user("ann").await;
        let none = List::import(&ann, "# Tasks: Nothing\n").await;
        let done_payload = json!({ "claim": null, "reason": "DONE", "retryAt": null });
        assert_eq!(none.next(json!({})).await, done_payload);

        let list = List::import(&ann, &list_of(&["one in a.rs", "two", "three"], "")).await;
        for status in ["IN_PROGRESS", "BLOCKED"] {
            list.update("T001", json!({ "status": status })).await;
            assert_eq!(list.next(json!({})).await, json!({ "claim": null, "reason": "WAITING", "retryAt": null }), "{status}");
        }
        assert_eq!(list.next_key(json!({ "keys": ["T003"] })).await, "WAITING");
        for key in ["T001", "T002"] {
            list.call("completeTask", key).await;
        }
        assert_eq!(list.next(json!({ "keys": ["T001", "T002"] })).await, done_payload);
        list.delete("T003").await;
        assert_eq!(list.next(json!({})).await, done_payload, "tasks in the trash are not considered");
    }

    async fn a_file_of_a_live_claim_makes_files_busy_only_if_a_task_is_ready(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one in a.rs", "two in a.rs", "three (depends on T001)", "four in b.rs"])).await;
        let first = list.claim(json!({ "ttlSeconds": 100 })).await;
        assert_eq!(first["paths"], json!(["a.rs"]));
        let other = list.claim(json!({ "ttlSeconds": 50 })).await;
        assert_eq!(other["task"]["key"], "T004", "T002 names a busy file");
        assert_eq!(list.next(json!({})).await, json!({ "claim": null, "reason": "FILES_BUSY", "retryAt": other["expiresAt"] }));
        let waiting = json!({ "claim": null, "reason": "WAITING", "retryAt": other["expiresAt"] });
        assert_eq!(list.next(json!({ "keys": ["T001", "T003"] })).await, waiting);
        let done_payload = json!({ "claim": null, "reason": "DONE", "retryAt": other["expiresAt"] });
        assert_eq!(list.next(json!({ "keys": [] })).await, done_payload);
        done(&ann, "releaseClaim", &text(&other["id"])).await;
        assert_eq!(list.next(json!({ "keys": ["T002"] })).await["retryAt"], first["expiresAt"]);
        done(&ann, "completeClaim", &text(&first["id"])).await;
        assert_eq!(list.next_key(json!({})).await, "T002");
    }

    async fn the_duration_of_a_claim_can_be_chosen(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        for seconds in [1, 86_400] {
            let claim = list.claim(json!({ "ttlSeconds": seconds })).await;
            assert_eq!(time(&claim["expiresAt"]) - time(&claim["claimedAt"]), TimeDelta::seconds(seconds));
        }
    }

    async fn the_name_of_a_worker_has_up_to_a_hundred_characters_in_any_script(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["x"; 3])).await;
        for worker in ["a", "𝒳", "e\u{301}"].map(|text| text.repeat(100)) {
            let claim = list.claim(json!({ "worker": format!(" {worker}\n") })).await;
            assert_eq!(claim["worker"].as_str().map(|worker| worker.chars().count()), Some(100), "{claim}");
        }
    }

    async fn every_fault_of_the_input_is_reported(app) {
        let ann = app.user("ann").await;
        let input = json!({ "listId": "x", "worker": " ", "id": "y", "ttlSeconds": 0 });
        let error = ann.error(&claim_next(), json!({ "input": input })).await;
        let mut found = faults(&error);
        found.sort();
        assert_eq!(found, ["input.id invalid", "input.listId invalid", "input.ttlSeconds out_of_range", "input.worker required"]);
    }

    async fn the_list_must_be_one_of_the_viewer_that_is_not_in_the_trash(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let input = |id: &str| json!({ "input": { "listId": id, "worker": "x" } });
        assert_eq!(bob.execute(&claim_next(), input(&list.id)).await.code(), "FORBIDDEN");
        assert_eq!(ann.execute(&claim_next(), input(UNKNOWN_ID)).await.code(), "NOT_FOUND");
        assert_eq!(ann.execute(&claim_next(), input(list.task("T001"))).await.code(), "NOT_FOUND");
        ann.data("mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }", json!({ "id": list.id })).await;
        assert_eq!(ann.execute(&claim_next(), input(&list.id)).await.code(), "NOT_FOUND");
    }

    async fn concurrent_calls_never_claim_one_task_or_one_file_twice(app) {
        let ann = app.user("ann").await;
        let texts = ["one in a.rs", "two in a.rs", "three in b.rs", "four in a.rs and b.rs", "five", "six in src/", "seven in src/c.rs"];
        let list = List::import(&ann, &parallel_list(&texts)).await;
        let payloads = join_all((0..16).map(|_| list.next(json!({})))).await;
        let mut keys: Vec<String> = payloads.iter().filter_map(|payload| payload["claim"]["task"]["key"].as_str().map(str::to_owned)).collect();
        keys.sort();
        assert_eq!(keys, ["T001", "T003", "T005", "T006"]);
        assert!(payloads.iter().filter(|payload| payload["claim"].is_null()).all(|payload| payload["reason"] == "FILES_BUSY"));
    }

    async fn a_claim_belongs_to_the_owner_of_its_task(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let id = list.claim_of("T001").await;
        for mutation in ["renewClaim", "completeClaim", "releaseClaim"] {
            assert_eq!(failed(&bob, mutation, &id).await, "FORBIDDEN", "{mutation}");
            assert_eq!(failed(&ann, mutation, UNKNOWN_ID).await, "NOT_FOUND", "{mutation}");
            assert_eq!(failed(&ann, mutation, list.task("T001")).await, "NOT_FOUND", "{mutation}");
        }
        assert_eq!(list.claimed().await, ["T001"]);
    }

    async fn a_claim_does_not_change_the_document(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        let fields = "markdown revision version updatedAt progress { done total }";
        let before = list.read(fields).await;
        let id = list.claim_of("T001").await;
        assert_eq!(list.read(fields).await, before);
        done(&ann, "releaseClaim", &id).await;
        assert_eq!(list.read(fields).await, before);
    }
}
