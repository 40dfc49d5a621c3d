//! The fields of User that an API key may read only with a scope, wherever a user object is: below the viewer,
//! below tasks in lists that are written directly as JSON, and in payloads; by their names, with aliases and in
//! fragments.

use super::{assert_missing, covers};
use crate::support::{Actor, PASSWORD, json, on_both_databases};

/// The fields with the scope that reads them.
const GUARDED: [(&str, &str); 6] = [
    ("email", "ACCOUNT"),
    ("emailVerified", "ACCOUNT"),
    ("pendingEmail", "ACCOUNT"),
    ("sessions { id }", "ACCOUNT"),
    ("apiKeys { id }", "ACCOUNT"),
    ("tasks { totalCount }", "TASKS_READ"),
];
/// The fields that every key reads.
const OPEN: &str = "id username name isActive createdAt updatedAt __typename";

/// Operations in which the selection on a user object replaces `USER`, with the scope that they need themselves.
/// `$task` is a task and `$user` the user.
const PLACES: [(&str, Option<&str>); 10] = [
    ("{ me { USER } }", None),
    ("query($user: ID!) { node(id: $user) { ... on User { USER } } }", None),
    ("query($user: ID!) { nodes(ids: [$user]) { ... on User { USER } } }", None),
    ("query($task: ID!) { task(id: $task) { owner { USER } } }", Some("TASKS_READ")),
    ("{ tasks { nodes { title owner { USER } } } }", Some("TASKS_READ")),
    ("{ tasks { edges { node { owner { USER } } } } }", Some("TASKS_READ")),
    ("query($task: ID!) { node(id: $task) { ... on Task { owner { USER } } } }", Some("TASKS_READ")),
    ("{ taskChanges { changes { task { owner { USER } } } } }", Some("TASKS_READ")),
    ("mutation($task: ID!) { reopenTask(id: $task) { task { owner { USER } } } }", Some("TASKS_WRITE")),
    ("mutation { updateProfile(input: {}) { user { USER } } }", Some("ACCOUNT")),
];

/// Ways to select a field, each with its fragment definitions.
fn selections(field: &str) -> [(String, String); 5] {
    [
        (field.to_owned(), String::new()),
        (format!("{OPEN} {field}"), String::new()),
        (format!("id hidden: {field}"), String::new()),
        (format!("... {{ ... on User {{ id {field} }} }} username"), String::new()),
        ("...A".to_owned(), format!("fragment A on User {{ ...B id }} fragment B on User {{ x: {field} }}")),
    ]
}

/// A key without ACCOUNT, and one without TASKS_READ. Each with its scope.
async fn keys<'a>(ann: &Actor<'a>) -> [(&'static str, Actor<'a>); 2] {
    [("TASKS_WRITE", ann.api_key(&["TASKS_WRITE"]).await.0), ("ACCOUNT", ann.api_key(&["ACCOUNT"]).await.0)]
}

on_both_databases! {
    async fn the_user_of_a_sign_in_has_their_own_data_for_every_sender(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        for title in ["one", "two"] {
            ann.task(title).await;
        }
        bob.task("three").await;
        let login = "mutation($password: String!) { login(input: { usernameOrEmail: \"ann\", password: $password }) {
            user { username email tasks { totalCount } sessions { current } } } }";
        let key = bob.api_key(&["TASKS_WRITE"]).await.0;
        for sender in [&app.anonymous(), &bob, &key] {
            let data = sender.data(login, json!({ "password": PASSWORD })).await;
            let user = &data["login"]["user"];
            assert_eq!((&user["username"], &user["tasks"]["totalCount"]), (&json!("ann"), &json!(2)), "{user}");
            assert_eq!(user["email"], "ann@example.com");
        }
    }

    async fn a_guarded_field_of_a_user_is_refused_everywhere_without_its_scope(app) {
        let ann = app.user("ann").await;
        let variables = json!({ "task": ann.task("one").await, "user": ann.id });
        ann.task("two").await;
        let keys = keys(&ann).await;
        for (field, scope) in GUARDED {
            let name = field.split(' ').next().unwrap_or_default();
            let (has, key) = keys.iter().find(|(has, _)| !covers(&[has], scope)).expect("a key lacks the scope");
            for (place, _) in PLACES.iter().filter(|place| place.1.is_none_or(|needed| covers(&[has], needed))) {
                for (selection, fragments) in selections(field) {
                    let query = format!("{} {fragments}", place.replace("USER", &selection));
                    let response = key.execute(&query, variables.clone()).await;
                    let errors = response.body["errors"].as_array().unwrap_or_else(|| panic!("{query} was allowed"));
                    for error in errors {
                        assert_missing(error, scope, &query);
                        let at = error["path"].as_array().and_then(|path| path.last()?.as_str()).unwrap_or_default();
                        assert!([name, "hidden", "x"].contains(&at), "{query}: {error:#}");
                    }
                    assert!(!response.body.to_string().contains(&ann.email), "{query}: {:#}", response.body);
                }
            }
        }
    }

    async fn a_guarded_field_of_a_user_is_readable_everywhere_with_its_scope(app) {
        let ann = app.user("ann").await;
        let variables = json!({ "task": ann.task("one").await, "user": ann.id });
        let key = ann.api_key(&["TASKS_WRITE", "ACCOUNT"]).await.0;
        for (field, _) in GUARDED {
            for (place, _) in PLACES {
                for (selection, fragments) in selections(field) {
                    let query = format!("{} {fragments}", place.replace("USER", &selection));
                    assert_eq!(key.data(&query, variables.clone()).await, ann.data(&query, variables.clone()).await, "{query}");
                }
            }
        }
    }

    async fn every_key_reads_the_other_fields_of_a_user(app) {
        let ann = app.user("ann").await;
        let variables = json!({ "task": ann.task("one").await, "user": ann.id });
        for (has, key) in keys(&ann).await {
            for (place, _) in PLACES.iter().filter(|place| place.1.is_none_or(|needed| covers(&[has], needed))) {
                let query = place.replace("USER", OPEN);
                assert_eq!(key.data(&query, variables.clone()).await, ann.data(&query, variables.clone()).await, "{query}");
            }
        }
    }
}
