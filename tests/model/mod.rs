//! Every mutation of tasks, at random, against a model in memory.

mod operations;
mod reference_model;

use std::cell::Cell;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use self::operations::{Operation, chosen, operation};
use self::reference_model::World;
use crate::support::{Actor, TestApp, Value, for_all, json, on_both_databases};

/// How many operations there are between two looks at all that there is.
const LOOK_EVERY: usize = 40;

const ITEM: &str = "id section text done children { id section text done children { id } }";
const RISK: &str = "id description likelihood impact mitigation";
const FILE: &str = "id path kind";

/// All that a task holds.
fn task() -> String {
    format!(
        "id owner {{ id }} title description status completed priority labels dueAt completedAt createdAt \
         updatedAt deletedAt version date ownerLabel objective rationale checklist {{ {ITEM} }} \
         risks {{ {RISK} }} files {{ {FILE} }} progress {{ done total percent }}"
    )
}

/// The mutation with these arguments, and all of its payload.
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

/// Calls the service and the model; whether there was anything to do.
async fn run(
    app: &TestApp,
    people: &[Actor<'_>],
    world: &mut World,
    operation: &Operation,
    case: u128,
) -> Result<bool, TestCaseError> {
    // Every call has a millisecond of its own, so that a change can be told by its time.
    app.clock.advance(TimeDelta::milliseconds(operation.wait));
    world.pass(app.clock.now());
    let (actor, mutation) = (&people[operation.user], operation.mutation);
    let Some(arguments) = operation.arguments(world, &actor.id, case) else { return Ok(false) };
    let body = actor.ask(&document(mutation, &arguments), arguments.clone()).await.body;
    let payload = &body["data"][mutation];
    let called = format!("{mutation} by user {} with {arguments}", operation.user);
    match world.run(&actor.id, mutation, &arguments) {
        Ok(effect) => {
            prop_assert!(body.get("errors").is_none(), "{called} has to succeed: {body:#}");
            prop_assert_eq!(payload, &world.payload(&effect, payload), "{}", called);
        }
        Err(refusal) => {
            prop_assert_eq!(payload, &Value::Null, "{} has to fail: {:?}", called, refusal);
            prop_assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{}: {:#}", called, body);
            let told = &body["errors"][0]["extensions"];
            prop_assert_eq!(&told["code"], refusal.code, "{}: {:#}", called, body);
            prop_assert_eq!(&told["currentVersion"], &refusal.current_version, "{}: {:#}", called, body);
            if let Some(place) = refusal.place {
                let list = if mutation == "createTasks" { "inputs" } else { "ids" };
                let path = &told["fields"][0]["path"];
                prop_assert_eq!(
                    (&path[0], &path[1]),
                    (&json!(list), &json!(place)),
                    "{}: {:#}",
                    called,
                    body
                );
            }
        }
    }
    Ok(true)
}

/// Compares all that everybody sees.
async fn look(people: &[Actor<'_>], world: &mut World) -> TestCaseResult {
    let list = format!("totalCount nodes {{ {} actions: checklist(section: ACTION) {{ id }} }}", task());
    let query = format!(
        "query($ids: [ID!]!) {{ tasks(first: 100) {{ {list} }} trash(first: 100) {{ {list} }}
         nodes(ids: $ids) {{ __typename id }} }}"
    );
    for actor in people {
        let (ids, nodes) = world.nodes(&actor.id, 100);
        let body = actor.ask(&query, json!({ "ids": ids })).await.body;
        prop_assert!(body.get("errors").is_none(), "{body:#}");
        let seen = &body["data"];
        prop_assert_eq!(&seen["tasks"], &world.list(&actor.id, false, &seen["tasks"]));
        prop_assert_eq!(&seen["trash"], &world.list(&actor.id, true, &seen["trash"]));
        prop_assert_eq!(&seen["nodes"], &Value::from(nodes));
    }
    Ok(())
}

on_both_databases! {
    /// 30 times 250 operations, on fresh users each time: what other cases left is foreign data.
    #[flags("--limit-query-complexity", "1000000", "--limit-query-depth", "20", "--access-token-ttl", "900y",
            "--session-ttl", "900y", "--limit-credentials-per-minute", "0")]
    async fn tasks_are_what_a_model_says_they_are_after_any_operations(app) {
        let (cases, done) = (Cell::new(0), Cell::new(0));
        // Shrinking drops operations: None is one that it has dropped.
        for_all(30, vec(option::weighted(0.99, operation()), 250), async |operations| {
            let case = cases.replace(cases.get() + 1);
            let name = |name: &str| format!("{name}-{case}");
            let people = [app.user(&name("ann")).await, app.user(&name("bob")).await, app.user(&name("eve")).await];
            let mut world = World::new(chosen(case));
            for (number, operation) in operations.iter().flatten().enumerate() {
                if run(app, &people, &mut world, operation, case).await? {
                    done.set(done.get() + 1);
                }
                if number % LOOK_EVERY == LOOK_EVERY - 1 {
                    look(&people, &mut world).await?;
                }
            }
            look(&people, &mut world).await
        }).await;
        println!("{} operations", done.get());
    }
}
