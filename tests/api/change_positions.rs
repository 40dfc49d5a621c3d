//! The positions of changes: a task takes the next position exactly when its version changes, with every mutation
//! and with the statements of any other program.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::bad_input::cases::cases;
use crate::support::{Actor, TestApp, Value, json, on_both_databases};

/// A row of a table.
async fn rows(app: &TestApp, table: &str) -> Vec<Value> {
    let rows = app.rows(table).await;
    rows.iter().map(|row| serde_json::from_str(row).expect("a row is JSON")).collect()
}

fn number(row: &Value, column: &str) -> i64 {
    row[column].as_i64().expect("a number")
}

/// The version of each task by its id, and its position with the id of its owner.
async fn positions(app: &TestApp) -> BTreeMap<String, (i64, (String, i64))> {
    let entry = |row: &Value| {
        let position = (row["owner_id"].to_string(), number(row, "position"));
        (row["id"].to_string(), (number(row, "version"), position))
    };
    rows(app, "tasks").await.iter().map(entry).collect()
}

/// The counters by the ids of their owners.
async fn counters(app: &TestApp) -> BTreeMap<String, i64> {
    let heads = rows(app, "(SELECT owner_id AS id, position FROM change_heads) AS heads").await;
    heads.iter().map(|row| (row["id"].to_string(), number(row, "position"))).collect()
}

/// Awaits a future, and asserts that each task whose version has changed, and no other, has one of the next
/// positions of its owner. Returns the number of changes.
async fn count_changes(app: &TestApp, what: &str, future: impl Future<Output = ()>) -> usize {
    let (before, heads) = (positions(app).await, counters(app).await);
    future.await;
    let (mut taken, mut next) = (BTreeSet::new(), BTreeSet::new());
    for (id, now) in positions(app).await {
        match before.get(&id) {
            Some(then) if then.0 == now.0 => assert_eq!(*then, now, "{what}: a position without a change"),
            _ => assert!(taken.insert(now.1), "{what}: one position twice"),
        }
    }
    for (owner, head) in counters(app).await {
        let first = heads.get(&owner).unwrap_or(&0) + 1;
        next.extend((first..=head).map(|position| (owner.clone(), position)));
    }
    assert_eq!(taken, next, "{what}");
    taken.len()
}

/// The arguments of a case, with the values that exist only in this test.
async fn arguments_of(
    app: &TestApp,
    actor: &Actor<'_>,
    second_task: &str,
    field: &str,
    good: &Value,
) -> Value {
    let mut arguments = good.clone();
    match field {
        "register" => arguments["input"]["email"] = json!("another@example.com"),
        "login" => arguments["input"]["usernameOrEmail"] = json!(actor.email),
        "refreshToken" => arguments["refreshToken"] = json!(actor.refresh_token),
        "revokeSession" => arguments["id"] = json!(actor.session_id()),
        "logout" => arguments["scope"] = json!("CURRENT"),
        "updateProfile" => arguments["input"]["name"] = json!("Another"),
        "verifyEmail" => arguments["token"] = json!(app.link_token("VERIFY", &actor.email).await),
        "resetPassword" => {
            arguments["input"]["token"] = json!(app.new_link_token("RESET", &actor.email).await);
        }
        "revokeApiKey" => arguments["id"] = json!(actor.api_key(&["ACCOUNT"]).await.1),
        // The first task has the new values already.
        "updateTasks" | "completeTasks" => arguments["ids"] = json!([second_task]),
        _ => {}
    }
    arguments
}

on_both_databases! {
    #[flags("--limit-credentials-per-minute", "0", "--limit-mails-per-hour", "0")]
    async fn every_mutation_moves_the_position_of_a_task_exactly_with_its_version(app) {
        let ann = app.user("ann").await;
        let (things, second) = (ann.things("one").await, ann.task("two").await);
        let mut called = BTreeSet::new();
        for case in cases(&things).iter().filter(|case| case.by_variables().starts_with("mutation")) {
            let is_of_tasks = ["Task", "Item", "Risk", "File", "Dependency", "Claim"].iter().any(|part| case.field.contains(part));
            let other = if is_of_tasks { None } else { Some(app.user(case.field).await) };
            let actor = other.as_ref().unwrap_or(&ann);
            if other.is_some() {
                actor.full_task("another").await;
            }
            let arguments = arguments_of(app, actor, &second, case.field, &case.good).await;
            let call = async { drop(actor.data(&case.by_variables(), arguments).await) };
            let changes = count_changes(app, case.field, call).await;
            // The lists of these cases have no tasks. A renewed claim is no change.
            let is_of_list = ["importTaskList", "mergeTaskList", "updateTaskList", "renewClaim"].contains(&case.field);
            assert_eq!(changes > 0, is_of_tasks && !is_of_list, "{}", case.field);
            called.insert(case.field.to_owned());
        }
        let query = "{ __schema { mutationType { fields { name } } } }";
        let fields = app.anonymous().data(query, json!({})).await["__schema"]["mutationType"]["fields"].clone();
        let name = |field: &Value| field["name"].as_str().expect("a name").to_owned();
        assert_eq!(called, fields.as_array().expect("fields").iter().map(name).collect());
    }

    async fn a_mutation_without_a_difference_takes_no_position(app) {
        let ann = app.user("ann").await;
        let things = ann.full_task("one").await;
        for mutation in [
            "updateTask(id: $id, input: { title: \"one\" }) { task { id } }",
            "updateTasks(ids: [$id], input: { title: \"one\" }) { tasks { id } }",
            "reopenTask(id: $id) { task { id } }",
            "restoreTask(id: $id) { task { id } }",
            "createTask(input: { id: $id, title: \"one\" }) { task { id } }",
            "createTasks(inputs: [{ id: $id, title: \"one\" }]) { tasks { id } }",
        ] {
            let query = format!("mutation($id: ID!) {{ {mutation} }}");
            let call = async { drop(ann.data(&query, json!({ "id": things["id"] })).await) };
            assert_eq!(count_changes(app, mutation, call).await, 0, "{mutation}");
        }
    }

    async fn a_mutation_that_fails_takes_no_position(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let (mine, other) = (ann.task("one").await, bob.task("bob's").await);
        for mutation in [
            "updateTask(id: $mine, input: { title: \"x\" }, expectedVersion: 7) { task { id } }",
            "updateTasks(ids: [$mine, $other], input: { title: \"x\" }) { tasks { id } }",
            "deleteTasks(ids: [$mine, $other]) { deletedTaskIds }",
            "createTasks(inputs: [{ title: \"x\" }, { id: $other, title: \"x\" }]) { tasks { id } }",
        ] {
            let (mine, other) = (json!(mine).to_string(), json!(other).to_string());
            let query = format!("mutation {{ {} }}", mutation.replace("$mine", &mine).replace("$other", &other));
            let call = async { drop(ann.error(&query, json!({})).await) };
            assert_eq!(count_changes(app, mutation, call).await, 0, "{mutation}");
        }
    }

    async fn the_statements_of_an_older_version_take_positions_too(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        ann.task("two").await;
        let is_postgres = app.kind == DatabaseKind::Postgres;
        let id = if is_postgres { "gen_random_uuid()" } else { "randomblob(16)" };
        let insert = format!(
            "INSERT INTO tasks (id, owner_id, title, title_key, status, priority, created_at, updated_at, version)
             SELECT {id}, owner_id, 'copy', 'copy', status, priority, created_at, updated_at, 1 FROM tasks"
        );
        let update = "UPDATE tasks SET title = 'new', version = version + 1 WHERE title <> 'two'";
        let deletion = "UPDATE tasks SET deleted_at = updated_at, version = version + 1 WHERE title = 'two'";
        let same = "UPDATE tasks SET title_key = 'new', version = version";
        for (statement, changes) in [(insert.as_str(), 2), (update, 3), (deletion, 1), (same, 0)] {
            assert_eq!(count_changes(app, statement, app.execute_sql(statement)).await, changes, "{statement}");
        }
    }

    /// Between two statements, a transaction would keep the counter locked for the other changes of its owner.
    async fn a_change_of_one_task_is_written_with_one_statement_after_it_was_read(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        for mutation in [
            "updateTask(id: $id, input: { title: \"two\" }) { task { id } }",
            "completeTask(id: $id) { task { id } }",
            "reopenTask(id: $id) { task { id } }",
            "toggleTask(id: $id) { task { id } }",
            "deleteTask(id: $id) { deletedTaskId }",
            "restoreTask(id: $id) { task { id } }",
        ] {
            let query = format!("mutation($id: ID!) {{ {mutation} }}");
            let (statements, _) = app.statements(ann.data(&query, json!({ "id": id }))).await;
            assert_eq!(statements.len(), 2, "{mutation}: {statements:?}");
            assert!(statements[0].starts_with("SELECT") && !statements[0].contains("FOR UPDATE"), "{statements:?}");
            assert!(statements[1].starts_with("UPDATE"), "{statements:?}");
        }
    }
}
