//! Tasks: creation, reading, updates and deletion.

use chrono::TimeDelta;

use crate::support::{Actor, DatabaseKind, TASK, TestApp, Value, code, json, on_both_databases};

/// Updates a task and returns it with the fields [`TASK`].
async fn update(actor: &Actor<'_>, id: &str, input: Value) -> Value {
    let query = format!(
        "mutation($id: ID!, $input: UpdateTaskInput!) {{ updateTask(id: $id, input: $input) {{ task {{ {TASK} }} }} }}"
    );
    actor.data(&query, json!({ "id": id, "input": input })).await["updateTask"]["task"].clone()
}

/// Executes a mutation whose only argument is the id.
async fn run(actor: &Actor<'_>, mutation: &str, id: &str) -> Value {
    let query = format!("mutation($id: ID!) {{ {mutation}(id: $id) {{ task {{ {TASK} }} }} }}");
    actor.data(&query, json!({ "id": id })).await[mutation]["task"].clone()
}

on_both_databases! {
    async fn a_new_task_has_defaults(app) {
        let ann = app.user("ann").await;
        let task = ann.create(json!({ "title": "  Cafe\u{301}  " })).await;
        assert_eq!(task["title"], "Café");
        assert_eq!(task["status"], "PENDING");
        assert_eq!(task["priority"], "MEDIUM");
        assert_eq!(task["completed"], false);
        assert_eq!(task["version"], 1);
        assert_eq!(task["owner"]["id"], ann.id);
        assert_eq!(task["createdAt"], task["updatedAt"]);
        for field in ["description", "dueAt", "completedAt"] {
            assert_eq!(task[field], Value::Null, "{field}");
        }
        assert_eq!(ann.read(task["id"].as_str().expect("an id")).await, task);
    }

    async fn a_task_stores_all_given_values(app) {
        let ann = app.user("ann").await;
        let input = json!({ "title": "𝒳", "description": "# Ü\n\n- [ ] 日本", "status": "COMPLETED",
                            "priority": "CRITICAL", "dueAt": "2027-01-31T19:00:00.1239+01:00" });
        let task = ann.create(input).await;
        assert_eq!(task["description"], "# Ü\n\n- [ ] 日本");
        assert_eq!(task["dueAt"], "2027-01-31T18:00:00.123Z");
        assert_eq!(task["completed"], true);
        assert_eq!(task["completedAt"], task["createdAt"]);
        assert_eq!(ann.read(task["id"].as_str().expect("an id")).await, task);
    }

    async fn an_update_changes_what_is_given_and_nothing_else(app) {
        let ann = app.user("ann").await;
        let input = json!({ "title": "one", "description": "text", "dueAt": "2027-01-01T00:00:00Z", "priority": "HIGH" });
        let mut task = ann.create(input).await;
        let id = task["id"].as_str().expect("an id").to_owned();
        for (version, (field, value)) in [
            ("title", json!("two")), ("description", json!("more")), ("description", Value::Null),
            ("priority", json!("LOW")), ("dueAt", json!("2028-01-01T00:00:00.000Z")), ("dueAt", Value::Null),
            ("status", json!("BLOCKED")),
        ].into_iter().enumerate() {
            app.clock.advance(TimeDelta::seconds(1));
            let changed = update(&ann, &id, json!({ field: value })).await;
            assert_ne!(changed["updatedAt"], task["updatedAt"], "{field}");
            task[field] = value;
            task["version"] = json!(version + 2);
            task["updatedAt"] = changed["updatedAt"].clone();
            assert_eq!(changed, task, "{field}");
        }
    }

    async fn an_absent_variable_leaves_its_field_unchanged(app) {
        let ann = app.user("ann").await;
        let task = ann.create(json!({ "title": "one", "description": "text", "dueAt": "2027-01-01T00:00:00Z",
                                      "status": "BLOCKED", "priority": "HIGH" })).await;
        let query = format!("mutation($id: ID!, $title: String, $description: String, $status: TaskStatus,
            $completed: Boolean, $priority: TaskPriority, $dueAt: DateTime) {{
            updateTask(id: $id, input: {{ title: $title, description: $description, status: $status,
                completed: $completed, priority: $priority, dueAt: $dueAt }}) {{ task {{ {TASK} }} }} }}");
        let same = ann.data(&query, json!({ "id": task["id"] })).await;
        assert_eq!(same["updateTask"]["task"], task);
        for field in ["description", "dueAt"] {
            let cleared = ann.data(&query, json!({ "id": task["id"], field: null })).await;
            assert_eq!(cleared["updateTask"]["task"][field], Value::Null, "{field}");
        }
    }

    async fn an_update_without_effect_keeps_version_and_time(app) {
        let ann = app.user("ann").await;
        let task = ann.create(json!({ "title": "one", "status": "COMPLETED", "description": "text" })).await;
        let id = task["id"].as_str().expect("an id").to_owned();
        app.clock.advance(TimeDelta::seconds(1));
        for input in [json!({}), json!({ "title": " one " }), json!({ "completed": true, "status": "COMPLETED" }),
                      json!({ "dueAt": null }), json!({ "description": "text" })] {
            assert_eq!(update(&ann, &id, input.clone()).await, task, "{input}");
        }
        assert_eq!(run(&ann, "completeTask", &id).await, task);
    }

    async fn completed_means_status_completed(app) {
        let ann = app.user("ann").await;
        let id = ann.create(json!({ "title": "one", "status": "BLOCKED" })).await["id"].as_str().expect("an id").to_owned();
        let state = |task: Value| (task["status"].as_str().expect("text").to_owned(), task["version"].clone(),
                                   task["completedAt"].is_string(), task["completed"] == json!(true));
        let is = |status: &str, version: i32, done: bool| (status.to_owned(), json!(version), done, done);
        assert_eq!(state(update(&ann, &id, json!({ "completed": false })).await), is("BLOCKED", 1, false));
        assert_eq!(state(run(&ann, "reopenTask", &id).await), is("BLOCKED", 1, false));
        assert_eq!(state(run(&ann, "completeTask", &id).await), is("COMPLETED", 2, true));
        assert_eq!(state(run(&ann, "completeTask", &id).await), is("COMPLETED", 2, true));
        assert_eq!(state(run(&ann, "reopenTask", &id).await), is("PENDING", 3, false));
        assert_eq!(state(run(&ann, "toggleTask", &id).await), is("COMPLETED", 4, true));
        assert_eq!(state(run(&ann, "toggleTask", &id).await), is("PENDING", 5, false));
        assert_eq!(state(update(&ann, &id, json!({ "completed": true })).await), is("COMPLETED", 6, true));
        assert_eq!(state(update(&ann, &id, json!({ "status": "IN_PROGRESS" })).await), is("IN_PROGRESS", 7, false));
    }

    async fn completed_at_is_when_the_task_last_became_completed(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let first = run(&ann, "completeTask", &id).await["completedAt"].clone();
        app.clock.advance(TimeDelta::seconds(1));
        assert_eq!(update(&ann, &id, json!({ "title": "two" })).await["completedAt"], first);
        run(&ann, "reopenTask", &id).await;
        assert_ne!(run(&ann, "completeTask", &id).await["completedAt"], first);
    }

    async fn replacing_a_task_resets_absent_fields(app) {
        let ann = app.user("ann").await;
        let task = ann.create(json!({ "title": "one", "description": "text", "status": "COMPLETED",
                                      "priority": "HIGH", "dueAt": "2027-01-01T00:00:00Z" })).await;
        let query = format!("mutation($id: ID!, $input: ReplaceTaskInput!) {{
            replaceTask(id: $id, input: $input) {{ task {{ {TASK} }} }} }}");
        let replaced = ann.data(&query, json!({ "id": task["id"], "input": { "title": "two" } })).await;
        let replaced = &replaced["replaceTask"]["task"];
        assert_eq!(
            (&replaced["title"], &replaced["status"], &replaced["priority"], &replaced["version"]),
            (&json!("two"), &json!("PENDING"), &json!("MEDIUM"), &json!(2))
        );
        for field in ["description", "dueAt", "completedAt"] {
            assert_eq!(replaced[field], Value::Null, "{field}");
        }
        assert_eq!(replaced["createdAt"], task["createdAt"]);
    }

    async fn an_outdated_expected_version_is_a_conflict(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let query = "mutation($id: ID!, $version: Int, $title: String) {
            updateTask(id: $id, input: { title: $title }, expectedVersion: $version) { task { version } } }";
        ann.data(query, json!({ "id": id, "version": 1, "title": "two" })).await;
        for (stale, title) in [(1, "three"), (1, "two"), (7, "three"), (0, "x"), (-1, "x")] {
            let error = ann.error(query, json!({ "id": id, "version": stale, "title": title })).await;
            assert_eq!(code(&error), "CONFLICT");
            assert_eq!(error["extensions"]["currentVersion"], 2);
        }
        ann.data(query, json!({ "id": id, "version": null, "title": "three" })).await;
        assert_eq!(ann.read(&id).await["version"], 3);
    }

    async fn of_concurrent_toggles_of_one_version_one_succeeds(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let query = "mutation($id: ID!) { toggleTask(id: $id, expectedVersion: 1) { task { version } } }";
        let responses = futures_util::future::join_all((0..20).map(|_| ann.execute(query, json!({ "id": id })))).await;
        let won = responses.iter().filter(|response| response.body.get("errors").is_none()).count();
        assert_eq!(won, 1);
        assert!(responses.iter().filter(|response| response.body.get("errors").is_some()).all(|response| response.code() == "CONFLICT"));
        assert_eq!(ann.read(&id).await["version"], 2);
    }

    async fn no_concurrent_toggle_is_lost(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        futures_util::future::join_all((0..20).map(|_| run(&ann, "toggleTask", &id))).await;
        let task = ann.read(&id).await;
        assert_eq!((&task["version"], &task["status"]), (&json!(21), &json!("PENDING")));
    }

    async fn a_later_version_is_never_older(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let toggles = futures_util::future::join_all((0..40).map(|_| run(&ann, "toggleTask", &id))).await;
        let mut seen: Vec<(i64, &str)> = toggles.iter()
            .map(|task| (task["version"].as_i64().expect("a number"), task["updatedAt"].as_str().expect("text")))
            .collect();
        seen.sort_unstable();
        assert!(seen.is_sorted_by_key(|(_, updated_at)| *updated_at), "{seen:?}");
    }

    async fn a_deleted_task_is_in_no_query_result(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let delete = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
        assert_eq!(ann.data(delete, json!({ "id": id })).await["deleteTask"]["deletedTaskId"], id);
        assert_eq!(code(&ann.error("query($id: ID!) { task(id: $id) { id } }", json!({ "id": id })).await), "NOT_FOUND");
        assert_eq!(code(&ann.error(delete, json!({ "id": id })).await), "NOT_FOUND");
        let update = "mutation($id: ID!) { updateTask(id: $id, input: { title: \"x\" }) { task { id } } }";
        assert_eq!(code(&ann.error(update, json!({ "id": id })).await), "NOT_FOUND");
        let seen = ann.data("query($id: ID!) { tasks { totalCount nodes { id } } node(id: $id) { id } nodes(ids: [$id]) { id } }",
                            json!({ "id": id })).await;
        assert_eq!(seen, json!({ "tasks": { "totalCount": 0, "nodes": [] }, "node": null, "nodes": [null] }));
    }

    async fn nodes_are_returned_in_the_order_of_the_ids_if_the_viewer_owns_them(app) {
        let ann = app.user("ann").await;
        let (one, two) = (ann.task("one").await, ann.task("two").await);
        let query = "query($ids: [ID!]!, $id: ID!) {
            nodes(ids: $ids) { __typename id ... on Task { title owner { name } } ... on User { name } }
            node(id: $id) { ... on Task { title } } }";
        let ids = [&two, "no uuid", &ann.id, &one, "00000000-0000-7000-8000-000000000000", &two, ""];
        let data = ann.data(query, json!({ "ids": ids, "id": one })).await;
        let kinds: Vec<Value> = data["nodes"].as_array().expect("a list").iter().map(|node| node["id"].clone()).collect();
        assert_eq!(json!(kinds), json!([two, null, ann.id, one, null, two, null]));
        assert_eq!(data["nodes"][0]["owner"]["name"], "ann");
        assert_eq!(data["nodes"][2]["__typename"], "User");
        assert_eq!(data["node"]["title"], "one");
    }

    async fn a_failing_field_of_a_mutation_does_not_undo_the_others(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let query = "mutation($id: ID!) {
            a: updateTask(id: $id, input: { title: \"\" }) { task { id } }
            b: updateTask(id: $id, input: { title: \"two\" }) { task { title } }
            c: deleteTask(id: \"00000000-0000-7000-8000-000000000000\") { deletedTaskId } }";
        let response = ann.execute(query, json!({ "id": id })).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.body["data"], json!({ "a": null, "b": { "task": { "title": "two" } }, "c": null }));
        let errors = response.body["errors"].as_array().expect("errors");
        let codes: Vec<(String, Value)> = errors.iter().map(|error| (code(error), error["path"].clone())).collect();
        assert_eq!(codes, [("BAD_USER_INPUT".into(), json!(["a"])), ("NOT_FOUND".into(), json!(["c"]))]);
    }

    #[flags("--request-timeout", "1s")]
    async fn a_write_that_times_out_is_still_executed_completely(app) {
        use sea_orm::{ConnectionTrait, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait};
        let ann = app.user("ann").await;
        // On SQLite a write transaction blocks all other writes.
        let is_sqlite = app.connection().get_database_backend() == DbBackend::Sqlite;
        let sqlite_transaction_mode = is_sqlite.then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
        let held = app.connection().begin_with_options(options).await.expect("a transaction begins");
        if held.get_database_backend() == DbBackend::Postgres {
            held.execute_unprepared("LOCK TABLE tasks").await.expect("the table can be locked");
        }
        let response = ann.execute("mutation { createTask(input: { title: \"slow\" }) { task { id } } }", json!({})).await;
        assert_eq!((response.status.as_u16(), response.code().as_str()), (200, "TIMEOUT"));
        assert_eq!(response.body["data"], Value::Null);
        held.rollback().await.expect("the lock is released");
        while app.rows("tasks").await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(ann.data("{ tasks { totalCount } }", json!({})).await["tasks"]["totalCount"], 1);
    }
}

#[tokio::test]
async fn connections_closed_by_postgres_make_no_request_fail() {
    TestApp::with(DatabaseKind::Postgres, &[], async |app| {
        let ann = app.user("ann").await;
        app.execute_sql(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET idle_session_timeout = 100', current_database()); END $$",
        )
        .await;
        let others = "datname = current_database() AND pid <> pg_backend_pid()";
        app.execute_sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")).await;
        // From now on each connection is new, and the server ends it as soon as it is idle.
        for _ in 0..5 {
            ann.data("{ me { id } tasks { nodes { id } } }", json!({})).await;
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    })
    .await;
}
