//! Ids that clients choose for claims: a repeated call returns the first claim, and no id is given twice.

use chrono::TimeDelta;
use futures_util::future::join_all;
use uuid::Uuid;

use super::support::{List, done, parallel_list};
use crate::support::{Actor, Value, code, faults, json, on_both_databases};

/// The error of a mutation with a taken id.
async fn assert_taken(actor: &Actor<'_>, mutation: &str, input_type: &str, input: Value) {
    let query = format!("mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ __typename }} }}");
    let error = actor.error(&query, json!({ "input": input })).await;
    assert_eq!(
        (code(&error).as_str(), faults(&error)),
        ("CONFLICT", vec!["input.id taken".to_owned()]),
        "{mutation}"
    );
}

async fn assert_id_is_taken(list: &List<'_>, actor: &Actor<'_>, id: &str) {
    assert_taken(
        actor,
        "claimNextTask",
        "ClaimNextTaskInput",
        json!({ "listId": list.id, "worker": "x", "id": id }),
    )
    .await;
}

on_both_databases! {
    async fn a_second_call_with_the_same_id_returns_the_first_claim(app) {
        let ann = app.user("ann").await;
        let (list, other) = (List::import(&ann, &parallel_list(&["one", "two"])).await, List::import(&ann, &parallel_list(&["three"])).await);
        let id = Uuid::new_v4().to_string();
        let claim = list.claim(json!({ "id": id, "worker": "first", "ttlSeconds": 60 })).await;
        assert_eq!(claim["id"], json!(id));
        let again = json!({ "id": id.to_uppercase(), "worker": "second", "ttlSeconds": 7, "keys": ["T002"] });
        assert_eq!(list.claim(again.clone()).await, claim);
        assert_eq!(other.claim(again.clone()).await, claim, "the list does not matter either");
        assert_eq!((list.claimed().await, list.version("T001").await), (vec!["T001".to_owned()], 2));

        app.clock.advance(TimeDelta::seconds(61));
        assert_eq!(list.claim(again.clone()).await, claim, "it has expired");
        assert_eq!(list.claimed().await, Vec::<String>::new());
        list.claim_of("T001").await;
        assert_eq!(list.claim(again.clone()).await, claim, "another worker has its task");
        list.delete("T001").await;
        let deleted = list.claim(again.clone()).await;
        assert_eq!((&deleted["id"], &deleted["task"]["key"]), (&json!(id), &json!("T001")), "its task is in the trash");
    }

    async fn a_repeated_call_returns_a_claim_that_was_released_or_completed(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        for mutation in ["releaseClaim", "completeClaim"] {
            let id = Uuid::new_v4().to_string();
            let claim = list.claim(json!({ "id": id })).await;
            done(&ann, mutation, &id).await;
            assert_eq!(list.claim(json!({ "id": id })).await, claim, "{mutation}");
            assert_eq!(list.claimed().await, Vec::<String>::new(), "{mutation}");
        }
    }

    async fn concurrent_calls_with_one_id_make_one_claim(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["x"; 16])).await;
        let id = Uuid::new_v4().to_string();
        let claims = join_all((0..16).map(|_| list.claim(json!({ "id": id })))).await;
        assert!(claims.iter().all(|claim| *claim == claims[0]), "{claims:#?}");
        assert_eq!(list.claimed().await, ["T001"]);
    }

    async fn concurrent_calls_with_one_id_all_get_the_claim_of_the_last_ready_task(app) {
        let ann = app.user("ann").await;
        for _ in 0..5 {
            let list = List::import(&ann, &parallel_list(&["x"])).await;
            let id = Uuid::new_v4().to_string();
            let claims = join_all((0..8).map(|_| list.claim(json!({ "id": id })))).await;
            assert!(claims.iter().all(|claim| claim["id"] == json!(id)), "{claims:#?}");
        }
    }

    async fn concurrent_calls_with_one_id_for_several_lists_make_one_claim(app) {
        let ann = app.user("ann").await;
        let lists = join_all((0..4).map(|_| async { List::import(&ann, &parallel_list(&["x"])).await })).await;
        let id = Uuid::new_v4().to_string();
        let claims = join_all(lists.iter().map(|list| list.claim(json!({ "id": id })))).await;
        assert!(claims.iter().all(|claim| *claim == claims[0]), "{claims:#?}");
        let claimed = join_all(lists.iter().map(List::claimed)).await;
        assert_eq!(claimed.iter().map(Vec::len).sum::<usize>(), 1);
    }

    async fn an_unsuccessful_call_does_not_take_its_id(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let id = Uuid::new_v4().to_string();
        assert_eq!(list.next_key(json!({ "id": id, "keys": [] })).await, "DONE");
        assert_eq!(list.claim(json!({ "id": id })).await["id"], json!(id));
    }

    async fn an_id_of_another_object_or_user_is_taken(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let bobs = List::import(&bob, &parallel_list(&["one"])).await;
        let things = ann.full_task("one").await;
        let bobs_claim = bobs.claim_of("T001").await;
        let (session, key) = (ann.session_id(), ann.api_key(&["ACCOUNT"]).await.1);
        let stored = app.all_rows().await;
        for id in things.as_object().expect("ids").values().filter_map(Value::as_str) {
            assert_id_is_taken(&list, &ann, id).await;
        }
        for id in [list.task("T001"), &list.id, &bobs.id, &bobs_claim, &ann.id, &bob.id, &session, &key] {
            assert_id_is_taken(&list, &ann, id).await;
        }
        assert_eq!(app.all_rows().await, stored);
    }

    async fn the_id_of_a_claim_cannot_be_given_to_another_object(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let id = list.claim_of("T001").await;
        for state in ["live", "ended"] {
            let stored = app.all_rows().await;
            for actor in [&ann, &bob] {
                assert_taken(actor, "createTask", "CreateTaskInput", json!({ "id": id, "title": state })).await;
                assert_taken(actor, "importTaskList", "ImportTaskListInput", json!({ "id": id, "markdown": "# x" })).await;
                assert_taken(actor, "importTask", "ImportTaskInput", json!({ "id": id, "markdown": "# x" })).await;
            }
            assert_eq!(app.all_rows().await, stored);
            done(&ann, "releaseClaim", &id).await;
        }
    }
}
