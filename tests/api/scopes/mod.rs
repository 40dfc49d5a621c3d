//! What an API key may do: every root field is requested with every set of scopes. A new root field fails a test
//! until it has a row here.

mod nodes;
mod user_fields;

use std::collections::BTreeSet;

use taskhold::api::{Event, Started};

use crate::api::bad_input::cases::{Case, cases};
use crate::api::bad_input::with_value_at;
use crate::api::ownership::{create_objects, root_fields, row};
use crate::api::subscriptions::{error, start};
use crate::support::{Actor, TestApp, Value, code, json, on_both_databases};

/// What a root field needs of an API key.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    /// The field is public, and the key is ignored.
    Nothing,
    AnyScope,
    Scope(&'static str),
    /// No key is enough.
    Session,
}
use Need::{AnyScope, Nothing, Scope, Session};

const QUERIES: [(Need, &[&str]); 3] = [
    (Nothing, &["serverInfo"]),
    (AnyScope, &["me", "currentApiKey", "node", "nodes"]),
    (
        Scope("TASKS_READ"),
        &[
            "task",
            "tasks",
            "trash",
            "taskChanges",
            "taskList",
            "taskLists",
            "trashedTaskLists",
            "diagnostics",
        ],
    ),
];

const MUTATIONS: [(Need, &[&str]); 4] = [
    (Nothing, &["register", "login", "refreshToken", "requestPasswordReset", "resetPassword", "verifyEmail"]),
    (
        Scope("TASKS_WRITE"),
        &[
            "createTask",
            "updateTask",
            "replaceTask",
            "completeTask",
            "reopenTask",
            "toggleTask",
            "deleteTask",
            "restoreTask",
            "createTasks",
            "updateTasks",
            "completeTasks",
            "deleteTasks",
            "addChecklistItem",
            "updateChecklistItem",
            "moveChecklistItem",
            "removeChecklistItem",
            "addRisk",
            "updateRisk",
            "removeRisk",
            "addFileChange",
            "removeFileChange",
            "importTask",
            "replaceTaskDocument",
            "importTaskList",
            "mergeTaskList",
            "deleteTaskList",
            "restoreTaskList",
            "updateTaskList",
            "addDependency",
            "removeDependency",
            "claimNextTask",
            "renewClaim",
            "completeClaim",
            "releaseClaim",
        ],
    ),
    (Scope("ACCOUNT"), &["updateProfile"]),
    (
        Session,
        &[
            "logout",
            "revokeSession",
            "changePassword",
            "deleteAccount",
            "sendVerificationEmail",
            "changeEmail",
            "cancelEmailChange",
            "createApiKey",
            // The row of ownership revokes another key than that of the request.
            "revokeApiKey",
        ],
    ),
];

const SUBSCRIPTIONS: [(Need, &[&str]); 1] = [(Scope("TASKS_READ"), &["taskChanges"])];

/// Every set of scopes that a key can have.
pub const SCOPE_SETS: [&[&str]; 7] = [
    &["TASKS_READ"],
    &["TASKS_WRITE"],
    &["ACCOUNT"],
    &["TASKS_READ", "TASKS_WRITE"],
    &["TASKS_READ", "ACCOUNT"],
    &["TASKS_WRITE", "ACCOUNT"],
    &["TASKS_READ", "TASKS_WRITE", "ACCOUNT"],
];

fn fields(rows: &[(Need, &'static [&'static str])]) -> impl Iterator<Item = (Need, &'static str)> {
    rows.iter().flat_map(|(need, fields)| fields.iter().map(|field| (*need, *field)))
}

fn names(rows: &[(Need, &'static [&'static str])]) -> BTreeSet<String> {
    fields(rows).map(|(_, field)| field.to_owned()).collect()
}

/// Whether a key with these scopes may do what a scope allows.
pub fn covers(scopes: &[&str], scope: &str) -> bool {
    scopes.contains(&scope) || (scope == "TASKS_READ" && scopes.contains(&"TASKS_WRITE"))
}

/// What a key with these scopes lacks, as `extensions.required` says it.
fn missing(need: Need, scopes: &[&str]) -> Option<&'static str> {
    match need {
        Nothing | AnyScope => None,
        Scope(scope) => (!covers(scopes, scope)).then_some(scope),
        Session => Some("SESSION"),
    }
}

/// Asserts that an error tells what is missing.
pub fn assert_missing(error: &Value, required: &str, shown: &str) {
    let message = match required {
        "SESSION" => "This needs a sign-in. An API key is not enough.".to_owned(),
        scope => format!("This API key lacks the scope {scope}."),
    };
    let found = (code(error), &error["extensions"]["required"], &error["message"]);
    assert_eq!(found, ("FORBIDDEN".to_owned(), &json!(required), &json!(message)), "{shown}: {error:#}");
    assert_eq!(error["extensions"]["status"], 403, "{shown}");
}

/// The operation of a root field; that of `me` selects only what every key may read.
fn operation(field: &str) -> &'static str {
    match field {
        "me" => "{ me { id username name isActive createdAt updatedAt } }",
        field => row(field).query,
    }
}

/// An API key with its scopes.
struct Key<'a> {
    scopes: &'static [&'static str],
    actor: Actor<'a>,
}

/// A key for each set of scopes.
async fn keys_of<'a>(owner: &Actor<'a>) -> Vec<Key<'a>> {
    let mut keys = Vec::new();
    for scopes in SCOPE_SETS {
        keys.push(Key { scopes, actor: owner.api_key(scopes).await.0 });
    }
    keys
}

/// The rows of all tables that a mutation may change, without the last uses of API keys.
async fn stored(app: &TestApp) -> Vec<Vec<String>> {
    let keys = "(SELECT id, name, scopes, expires_at FROM api_keys) AS keys";
    let mut rows = app.all_rows().await;
    rows.extend([app.rows(keys).await, app.link_token_rows().await]);
    rows
}

/// Asserts that a key which lacks a right is told so for values that break each of the rules of a root field.
/// Returns the number of values.
async fn assert_refused_before_arguments(key: &Actor<'_>, case: &Case, required: &str) -> usize {
    let mut refused = BTreeSet::new();
    for (path, value, rule) in &case.rows {
        if refused.contains(&(path, rule)) {
            continue;
        }
        let response =
            key.execute(&case.by_variables(), with_value_at(&case.good, path, value.clone())).await;
        // A value that is not of its type is refused before anything is executed.
        if response.body.get("data").is_some() {
            assert_missing(&response.error(), required, &format!("{} with {path} {rule}", case.field));
            refused.insert((path, rule));
        }
    }
    refused.len()
}

on_both_databases! {
    async fn every_root_field_has_a_row_of_scopes(app) {
        let anonymous = app.anonymous();
        assert_eq!(root_fields(&anonymous, "Query").await, names(&QUERIES));
        assert_eq!(root_fields(&anonymous, "Mutation").await, names(&MUTATIONS));
        assert_eq!(root_fields(&anonymous, "Subscription").await, names(&SUBSCRIPTIONS));
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_key_without_the_right_is_refused_at_the_field_and_changes_nothing(app) {
        let owner = app.user("owner").await;
        let (ids, keys) = (create_objects(&owner).await, keys_of(&owner).await);
        let before = stored(app).await;
        for (need, field) in fields(&QUERIES).chain(fields(&MUTATIONS)) {
            for Key { scopes, actor } in &keys {
                let Some(required) = missing(need, scopes) else { continue };
                let response = actor.execute(operation(field), ids.clone()).await;
                let shown = format!("{field} with {scopes:?}");
                assert_missing(&response.error(), required, &shown);
                assert_eq!((response.status.as_u16(), &response.error()["path"]), (200, &json!([field])), "{shown}");
                assert_eq!(response.body["data"][field], Value::Null, "{shown}");
            }
        }
        assert_eq!(stored(app).await, before);
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_key_with_the_right_succeeds(app) {
        let owner = app.user("owner").await;
        let (mut ids, keys) = (create_objects(&owner).await, keys_of(&owner).await);
        for (need, field) in fields(&QUERIES).chain(fields(&MUTATIONS)) {
            for Key { scopes, actor } in keys.iter().filter(|key| missing(need, key.scopes).is_none()) {
                if need == Nothing {
                    continue;
                }
                if need == Scope("TASKS_WRITE") {
                    for (name, id) in owner.things("one").await.as_object().expect("ids") {
                        ids[name] = id.clone();
                    }
                }
                let data = actor.data(operation(field), ids.clone()).await;
                // An object that the scopes do not cover is null.
                assert!(field == "node" || !data[field].is_null(), "{field} with {scopes:?}");
            }
        }
    }

    #[flags("--limit-credentials-per-minute", "0", "--limit-reset-requests-per-hour", "0")]
    async fn a_public_field_ignores_a_key_whether_it_is_valid_or_not(app) {
        let owner = app.user("owner").await;
        let forgetful = app.user("forgetful").await;
        let mut ids = create_objects(&owner).await;
        ids["verify"] = json!(app.link_token("VERIFY", &owner.email).await);
        let good = owner.api_key(&["TASKS_READ"]).await.0;
        let unknown = app.with_token("taskhold_key_AbCdEfGhIjKlMnOpQrStUvWxYz01234567894FcdCf");
        let malformed = app.with_token(&format!("{}x", good.token()));
        for actor in [good, unknown, malformed] {
            for (_, field) in fields(&QUERIES).chain(fields(&MUTATIONS)).filter(|(need, _)| *need == Nothing) {
                ids["reset"] = json!(app.new_link_token("RESET", &forgetful.email).await);
                actor.data(operation(field), ids.clone()).await;
                app.execute_sql("DELETE FROM users WHERE email = 'new@example.com'").await;
            }
        }
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_missing_right_is_reported_whatever_the_arguments_are(app) {
        let owner = app.user("owner").await;
        let things = owner.things("one").await;
        let keys = keys_of(&owner).await;
        let before = stored(app).await;
        for case in cases(&things) {
            let all = || fields(&QUERIES).chain(fields(&MUTATIONS));
            let (need, _) = all().find(|(_, field)| *field == case.field).expect("every field has a row");
            let lacking = keys.iter().rev().find_map(|key| Some((&key.actor, missing(need, key.scopes)?)));
            if let Some((key, required)) = lacking {
                let refused = assert_refused_before_arguments(key, &case, required).await;
                let has_values = !["logout", "restoreTask", "restoreTaskList"].contains(&case.field) && !case.rows.is_empty();
                assert!(refused > 0 || !has_values, "no value of {} was executed", case.field);
            }
        }
        assert_eq!(stored(app).await, before);
    }

    async fn each_field_of_a_mutation_is_checked_by_itself(app) {
        let ann = app.user("ann").await;
        let key = ann.api_key(&["TASKS_WRITE"]).await.0;
        let query = "mutation { a: createTask(input: { title: \"one\" }) { task { title } }
            b: updateProfile(input: { name: \"Another\" }) { user { name } }
            c: logout(scope: ALL) { success }
            d: createTask(input: { title: \"two\" }) { task { title } } }";
        let response = key.execute(query, json!({})).await;
        let task = |title: &str| json!({ "task": { "title": title } });
        assert_eq!(response.body["data"], json!({ "a": task("one"), "b": null, "c": null, "d": task("two") }));
        let errors = response.body["errors"].as_array().expect("errors").clone();
        assert_eq!(errors.len(), 2, "{errors:#?}");
        for (error, (name, required)) in errors.iter().zip([("b", "ACCOUNT"), ("c", "SESSION")]) {
            assert_eq!(error["path"], json!([name]));
            assert_missing(error, required, name);
        }
        let me = ann.data("{ me { name } tasks { totalCount } }", json!({})).await;
        assert_eq!((&me["me"]["name"], &me["tasks"]["totalCount"]), (&json!("ann"), &json!(2)));
    }

    async fn a_subscription_needs_a_scope_that_reads_tasks(app) {
        let ann = app.user("ann").await;
        let query = "subscription { taskChanges { cursor } }";
        for scopes in SCOPE_SETS {
            let key = ann.api_key(scopes).await.0;
            let Started::Subscribed(mut subscription) = start(app, &key, query, json!({}), None).await else {
                panic!("{scopes:?}: the operation is no subscription")
            };
            match (missing(Scope("TASKS_READ"), scopes), subscription.read().await) {
                (None, Some(Event::Next { .. })) => {}
                (Some(required), Some(Event::Failed(execution))) => {
                    let error = error(&execution);
                    assert_eq!(error["path"], json!(["taskChanges"]));
                    assert_missing(&error, required, &format!("{scopes:?}"));
                }
                (required, _) => panic!("{scopes:?}: the result is not that of a key that lacks {required:?}"),
            }
        }
    }
}
