//! Cycles of dependencies: an added dependency never completes one, and a text that completes one takes the effect of
//! the added ones away as long as it does.

use futures_util::future::join_all;

use super::support::{CYCLE, List, add, add_error, list_of, parallel_list, related, remove};
use crate::api::markdown::support::merge;
use crate::support::{code, faults, json, on_both_databases};

const ADD: &str =
    "mutation($task: ID!, $other: ID!) { addDependency(taskId: $task, blockedById: $other) { task { id } } }";

on_both_databases! {
    async fn a_dependency_that_would_complete_a_cycle_is_refused(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two (depends on T001)", "three"])).await;
        let other = List::import(&ann, &parallel_list(&["one", "two (depends on T001)"])).await;
        let plain = &ann.task("plain").await;
        add(&ann, list.task("T001"), plain).await;
        add(&ann, plain, other.task("T002")).await;
        let stored = app.all_rows().await;
        let whole = [list.task("T002"), list.task("T001"), plain, other.task("T002"), other.task("T001")];
        for (index, last) in whole.iter().enumerate() {
            for first in &whole[..=index] {
                assert_eq!(add_error(&ann, last, first).await, CYCLE);
            }
        }
        assert_eq!(app.all_rows().await, stored);
        list.call("completeTask", "T001").await;
        assert_eq!(add_error(&ann, list.task("T001"), list.task("T002")).await, CYCLE, "completed tasks count too");
        list.delete("T001").await;
        assert_eq!(add_error(&ann, plain, plain).await, CYCLE);
        add(&ann, list.task("T003"), list.task("T002")).await;
    }

    async fn tasks_in_the_trash_count_because_they_can_be_restored(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two", "three"])).await;
        add(&ann, list.task("T002"), list.task("T001")).await;
        add(&ann, list.task("T003"), list.task("T002")).await;
        list.delete("T002").await;
        assert_eq!(add_error(&ann, list.task("T001"), list.task("T003")).await, CYCLE);
    }

    async fn the_order_of_a_document_is_no_part_of_a_cycle(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &list_of(&["one", "two", "three"], "")).await;
        add(&ann, list.task("T001"), list.task("T003")).await;
        assert_eq!(list.ready().await, ["T002", "T003"], "in a cycle, only blockedBy counts");
        assert_eq!(list.related("T001", "waitsFor").await, ["T003"]);
        assert_eq!(list.related("T002", "waitsFor").await, Vec::<String>::new());
        remove(&ann, list.task("T001"), list.task("T003")).await;
        assert_eq!(list.ready().await, ["T001"]);
        assert_eq!(list.related("T003", "waitsFor").await, ["T001", "T002"]);
    }

    async fn of_a_cycle_across_lists_only_blocked_by_counts(app) {
        let ann = app.user("ann").await;
        let markdown = list_of(&["one", "two", "three"], "");
        let (first, second) = (List::import(&ann, &markdown).await, List::import(&ann, &markdown).await);
        add(&ann, first.task("T001"), second.task("T002")).await;
        assert_eq!((first.ready().await.len(), second.ready().await), (0, vec!["T001".to_owned()]));
        add(&ann, second.task("T001"), first.task("T002")).await;
        for list in [&first, &second] {
            assert_eq!(list.ready().await, ["T002"]);
            assert_eq!(list.related("T003", "waitsFor").await, ["T001", "T002"], "it is not part of the cycle");
        }
        let plain = ann.task("plain").await;
        add(&ann, &plain, first.task("T001")).await;
        assert_eq!(related(&ann, &plain, "waitsFor").await, ["T001"]);
    }

    async fn added_dependencies_do_not_count_while_a_changed_text_forms_a_cycle_with_them(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two", "three", "four"])).await;
        for (task, other) in [("T001", "T002"), ("T002", "T003"), ("T001", "T004")] {
            add(&ann, list.task(task), list.task(other)).await;
        }
        list.update("T003", json!({ "title": "three (depends on T001)" })).await;
        assert_eq!(list.related("T001", "blockedBy").await, ["T004"], "another one counts");
        assert_eq!(list.related("T002", "blockedBy").await, Vec::<String>::new());
        assert_eq!(list.related("T003", "blockedBy").await, ["T001"]);
        assert_eq!(list.related("T003", "blocks").await, Vec::<String>::new());
        assert_eq!(list.ready().await, ["T002", "T004"]);
        list.update("T003", json!({ "title": "three" })).await;
        assert_eq!(list.related("T001", "blockedBy").await, ["T002", "T004"]);
        assert_eq!(list.ready().await, ["T003", "T004"]);
    }

    async fn added_dependencies_survive_a_merge_which_can_form_a_cycle_with_them(app) {
        let ann = app.user("ann").await;
        let document = parallel_list(&["one", "two"]);
        let list = List::import(&ann, &document).await;
        add(&ann, list.task("T001"), list.task("T002")).await;
        merge(&ann, &list.id, &document.replace("one", "uno"), json!({})).await;
        assert_eq!(list.related("T001", "blockedBy").await, ["T002"]);
        merge(&ann, &list.id, &document.replace("two", "two (depends on T001)"), json!({ "onConflict": "FILE" })).await;
        assert_eq!(list.related("T001", "blockedBy").await, Vec::<String>::new());
        assert_eq!(list.related("T002", "blockedBy").await, ["T001"]);
        merge(&ann, &list.id, &document, json!({ "onConflict": "FILE" })).await;
        assert_eq!(list.related("T001", "blockedBy").await, ["T002"]);
    }

    async fn concurrent_calls_never_complete_a_cycle_together(app) {
        let ann = app.user("ann").await;
        let texts: Vec<String> = (0..16).map(|number| format!("task {number}")).collect();
        let list = List::import(&ann, &parallel_list(&texts.iter().map(String::as_str).collect::<Vec<_>>())).await;
        let task = |number: usize| list.task(&format!("T{:03}", number % 16 + 1)).to_owned();
        let ring = (0..16).map(|number| json!({ "task": task(number), "other": task(number + 1) }));
        let responses = join_all(ring.map(|variables| ann.execute(ADD, variables))).await;
        let refused: Vec<_> = responses.iter().filter(|response| response.body.get("errors").is_some()).collect();
        assert_eq!(refused.len(), 1, "{refused:#?}");
        let error = refused[0].error();
        assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["blockedById cycle".to_owned()]));
        assert_eq!(list.ready().await.len(), 1);
    }

    async fn of_two_opposite_dependencies_added_concurrently_one_is_refused(app) {
        let ann = app.user("ann").await;
        let pairs = join_all((0..8).map(async |_| (ann.task("a").await, ann.task("b").await))).await;
        let both = pairs.iter().flat_map(|(a, b)| [(a, b), (b, a)]);
        let calls = both.map(|(task, other)| ann.execute(ADD, json!({ "task": task, "other": other })));
        let responses = join_all(calls).await;
        for (pair, of_pair) in pairs.iter().zip(responses.chunks(2)) {
            let refused = of_pair.iter().filter(|response| response.body.get("errors").is_some()).count();
            assert_eq!(refused, 1, "{of_pair:#?}");
            let blocked = related(&ann, &pair.0, "blockedBy").await.len() + related(&ann, &pair.1, "blockedBy").await.len();
            assert_eq!(blocked, 1);
        }
    }
}
