//! Compares the service with a reference model in memory: random mutations of tasks must have the same
//! results.

mod claims;
mod operations;
mod reference_model;

use std::cell::Cell;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use self::operations::{Operation, client_ids, operation};
use self::reference_model::ReferenceModel;
use crate::support::{Actor, TestApp, Value, for_all, json, on_both_databases};

/// The number of operations between two comparisons of all tasks.
const COMPARE_INTERVAL: usize = 40;

const ITEM: &str = "id section text done children { id section text done children { id } }";
const RISK: &str = "id description likelihood impact mitigation";
const FILE: &str = "id path kind";

/// The selection of all fields of a task.
fn task() -> String {
    format!(
        "id owner {{ id }} title description status completed priority labels dueAt completedAt createdAt \
         updatedAt deletedAt version date ownerLabel objective rationale checklist {{ {ITEM} }} \
         risks {{ {RISK} }} files {{ {FILE} }} progress {{ done total percent }}"
    )
}

/// The document of a mutation with these arguments that selects its whole payload.
fn document(mutation: &str, arguments: &Value) -> String {
    let names = || arguments.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let declared: String = names().map(|name| format!("${name}: {} ", type_of(mutation, name))).collect();
    let given: String = names().map(|name| format!("{name}: ${name} ")).collect();
    let task = task();
    let payload = match mutation {
        "deleteTask" => String::from("deletedTaskId"),
        "deleteTasks" => String::from("deletedTaskIds"),
        "createTasks" | "updateTasks" | "completeTasks" => format!("tasks {{ {task} }}"),
        "addChecklistItem" | "updateChecklistItem" | "moveChecklistItem" => {
            format!("item {{ {ITEM} }} task {{ {task} }}")
        }
        "addRisk" | "updateRisk" => format!("risk {{ {RISK} }} task {{ {task} }}"),
        "addFileChange" => format!("file {{ {FILE} }} task {{ {task} }}"),
        remove if remove.starts_with("remove") => format!("removedId task {{ {task} }}"),
        _ => format!("task {{ {task} }}"),
    };
    format!("mutation({declared}) {{ {mutation}({given}) {{ {payload} }} }}")
}

fn type_of(mutation: &str, argument: &str) -> &'static str {
    match (argument, mutation) {
        ("id" | "taskId", _) => "ID!",
        ("ids", _) => "[ID!]!",
        ("expectedVersion", _) => "Int",
        ("inputs", _) => "[CreateTaskInput!]!",
        ("input", "createTask") => "CreateTaskInput!",
        ("input", "updateTask" | "updateTasks") => "UpdateTaskInput!",
        ("input", "replaceTask") => "ReplaceTaskInput!",
        ("input", "addChecklistItem") => "ChecklistItemInput!",
        ("input", "updateChecklistItem") => "UpdateChecklistItemInput!",
        ("input", "addRisk") => "RiskInput!",
        ("input", "updateRisk") => "UpdateRiskInput!",
        ("input", "addFileChange") => "FileChangeInput!",
        _ => "ID",
    }
}

/// Executes an operation on the service and on the model, and compares the results. Returns false if the
/// operation has no target.
async fn execute(
    app: &TestApp,
    users: &[Actor<'_>],
    model: &mut ReferenceModel,
    operation: &Operation,
    case: u128,
) -> Result<bool, TestCaseError> {
    // Each operation advances the clock, so that its changes have a distinct time.
    app.clock.advance(TimeDelta::milliseconds(operation.wait));
    model.advance_to(app.clock.now());
    let (actor, mutation) = (&users[operation.user], operation.mutation);
    let Some(arguments) = operation.arguments(model, &actor.id, case) else { return Ok(false) };
    let body = actor.execute(&document(mutation, &arguments), arguments.clone()).await.body;
    let payload = &body["data"][mutation];
    let called = format!("{mutation} by user {} with {arguments}", operation.user);
    match model.execute(&actor.id, mutation, &arguments) {
        Ok(effect) => {
            prop_assert!(body.get("errors").is_none(), "{called} must succeed: {body:#}");
            prop_assert_eq!(payload, &model.payload(&effect, payload), "{}", called);
        }
        Err(error) => {
            prop_assert_eq!(payload, &Value::Null, "{} must fail: {:?}", called, error);
            prop_assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{}: {:#}", called, body);
            let extensions = &body["errors"][0]["extensions"];
            prop_assert_eq!(&extensions["code"], error.code, "{}: {:#}", called, body);
            prop_assert_eq!(&extensions["currentVersion"], &error.current_version, "{}: {:#}", called, body);
            if let Some(index) = error.index {
                let list = if mutation == "createTasks" { "inputs" } else { "ids" };
                let path = &extensions["fields"][0]["path"];
                prop_assert_eq!(
                    (&path[0], &path[1]),
                    (&json!(list), &json!(index)),
                    "{}: {:#}",
                    called,
                    body
                );
            }
        }
    }
    Ok(true)
}

/// Compares the tasks, the trash and the nodes of all users.
async fn compare_all(users: &[Actor<'_>], model: &mut ReferenceModel) -> TestCaseResult {
    let list = format!("totalCount nodes {{ {} actions: checklist(section: ACTION) {{ id }} }}", task());
    let query = format!(
        "query($ids: [ID!]!) {{ tasks(first: 100) {{ {list} }} trash(first: 100) {{ {list} }}
         nodes(ids: $ids) {{ __typename id }} }}"
    );
    for actor in users {
        let (ids, nodes) = model.nodes(&actor.id, 100);
        let body = actor.execute(&query, json!({ "ids": ids })).await.body;
        prop_assert!(body.get("errors").is_none(), "{body:#}");
        let seen = &body["data"];
        prop_assert_eq!(&seen["tasks"], &model.list(&actor.id, false, &seen["tasks"]));
        prop_assert_eq!(&seen["trash"], &model.list(&actor.id, true, &seen["trash"]));
        prop_assert_eq!(&seen["nodes"], &Value::from(nodes));
    }
    Ok(())
}

on_both_databases! {
    /// 30 cases of 250 operations. Each case has new users; tasks of earlier cases belong to other users.
    #[flags("--limit-query-complexity", "1000000", "--limit-query-depth", "20", "--access-token-ttl", "900y",
            "--session-ttl", "900y", "--limit-credentials-per-minute", "0")]
    async fn random_operations_have_the_results_of_the_reference_model(app) {
        let (cases, done) = (Cell::new(0), Cell::new(0));
        // Shrinking replaces operations by None.
        for_all(30, vec(option::weighted(0.99, operation()), 250), async |operations| {
            let case = cases.replace(cases.get() + 1);
            let name = |name: &str| format!("{name}-{case}");
            let users = [app.user(&name("ann")).await, app.user(&name("bob")).await, app.user(&name("eve")).await];
            let mut model = ReferenceModel::new(client_ids(case));
            for (number, operation) in operations.iter().flatten().enumerate() {
                if execute(app, &users, &mut model, operation, case).await? {
                    done.set(done.get() + 1);
                }
                if number % COMPARE_INTERVAL == COMPARE_INTERVAL - 1 {
                    compare_all(&users, &mut model).await?;
                }
            }
            compare_all(&users, &mut model).await
        }).await;
        println!("{} operations", done.get());
    }
}
