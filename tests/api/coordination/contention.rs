//! Changes of all kinds to the claimed tasks of one list at the same time: none fails with an internal error, and what is
//! left fits together.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;

use super::support::{List, add, claim_call, claim_next, parallel_list, text};
use crate::support::{GraphqlResponse, Value, json, on_both_databases};

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
const ORDERING: &str = "mutation($id: ID!, $input: UpdateTaskListInput!) { updateTaskList(id: $id, input: $input) { taskList { id } } }";
const MERGE: &str =
    "mutation($id: ID!, $input: MergeTaskListInput!) { mergeTaskList(id: $id, input: $input) { applied } }";

/// Asserts that a request has succeeded, or failed in a way that clients can expect.
fn assert_expected(response: &GraphqlResponse, expected: &[&str]) {
    if response.body.get("errors").is_some() {
        assert!(expected.contains(&response.code().as_str()), "{:#}", response.body);
    }
}

/// Claims a task, and then releases or completes the claim.
async fn claim_and_end(list: &List<'_>, number: usize) {
    let input = json!({ "listId": list.id, "worker": format!("worker {number}") });
    let response = list.owner.execute(&claim_next(), json!({ "input": input })).await;
    assert_expected(&response, &[]);
    let claim = &response.body["data"]["claimNextTask"]["claim"];
    if claim.is_object() {
        let mutation = ["completeClaim", "releaseClaim", "renewClaim"][number % 3];
        assert_expected(&claim_call(&list.owner, mutation, &text(&claim["id"])).await, &["CONFLICT"]);
    }
}

/// Changes a task in one of several ways.
async fn change(list: &List<'_>, number: usize) {
    let id = list.task(&format!("T{:03}", number % 12 + 1));
    let mutation = [
        "completeTask(id: $id)",
        "reopenTask(id: $id)",
        "deleteTask(id: $id)",
        "restoreTask(id: $id)",
        "updateTask(id: $id, input: { title: \"other words in b.rs\" })",
        "completeTasks(ids: [$id])",
    ][number % 6];
    let query = format!("mutation($id: ID!) {{ {mutation} {{ __typename }} }}");
    let response = list.owner.execute(&query, json!({ "id": id })).await;
    assert_expected(&response, &["NOT_FOUND", "CONFLICT"]);
}

/// Changes the list, or a dependency of its tasks.
async fn change_list(list: &List<'_>, document: &str, number: usize) {
    let task = |number: usize| list.task(&format!("T{:03}", number % 12 + 1)).to_owned();
    let response = match number % 4 {
        0 => {
            let input = json!({ "title": "new", "list": { "listId": list.id, "parallel": true } });
            list.owner.execute(CREATE, json!({ "input": input })).await
        }
        1 => {
            let ordering = if number % 8 == 1 { "EXPLICIT" } else { "MARKED" };
            list.owner.execute(ORDERING, json!({ "id": list.id, "input": { "ordering": ordering } })).await
        }
        2 => {
            let input = json!({ "markdown": document, "onConflict": "SERVER" });
            list.owner.execute(MERGE, json!({ "id": list.id, "input": input })).await
        }
        _ => {
            let query = "mutation($task: ID!, $other: ID!) { addDependency(taskId: $task, blockedById: $other) { task { id } } }";
            list.owner.execute(query, json!({ "task": task(number), "other": task(number * 5 + 1) })).await
        }
    };
    assert_expected(&response, &["CONFLICT", "NOT_FOUND", "BAD_USER_INPUT"]);
}

on_both_databases! {
    async fn concurrent_changes_of_all_kinds_leave_claims_that_fit_together(app) {
        let ann = app.user("ann").await;
        let texts: Vec<String> = (0..12).map(|number| format!("task in {}.rs", number / 2)).collect();
        let document = parallel_list(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut list, other) = (List::import(&ann, &document).await, List::import(&ann, &document).await);
        add(&ann, list.task("T012"), other.task("T001")).await;
        for _ in 0..3 {
            join!(
                join_all((0..24).map(|number| claim_and_end(&list, number))),
                join_all((0..24).map(|number| change(&list, number))),
                join_all((0..12).map(|number| change_list(&list, &document, number))),
                join_all((0..6).map(|number| claim_and_end(&other, number))),
            );
        }
        list.read_tasks().await;
        let claims = list.read("claims { task { key status claim { id } } id paths }").await["claims"].clone();
        let mut paths = BTreeSet::new();
        for claim in claims.as_array().expect("claims") {
            assert_eq!((&claim["task"]["claim"]["id"], claim["task"]["status"] == "COMPLETED"), (&claim["id"], false), "{claim}");
            for path in claim["paths"].as_array().expect("paths") {
                assert!(paths.insert(path.to_string()), "{path} has two claims: {claims:#}");
            }
        }
        let ready = list.read("readyTasks(first: 100) { nodes { key ready status claim { id } waitsFor { id } } }").await;
        for task in ready["readyTasks"]["nodes"].as_array().expect("tasks") {
            let shown = json!({ "key": task["key"], "ready": true, "status": "PENDING", "claim": Value::Null, "waitsFor": [] });
            assert_eq!(*task, shown);
        }
    }
}
