//! Migrations of the database schema: up, down, from several instances, and in agreement with the entities.

use std::iter::repeat;

use sea_orm::{DbBackend, FromQueryResult, JsonValue, Statement};

use crate::support::{Actor, TestApp, Value, json, on_both_databases};

/// The tables, columns, indexes, triggers and functions of the database, from its catalog.
async fn structure(app: &TestApp) -> Vec<String> {
    let connection = app.connection();
    let backend = connection.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, NULL AS sql
               FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL
             SELECT tablename, indexname, NULL, NULL, NULL, NULL, indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL
             SELECT tgrelid::regclass::text, tgname, NULL, NULL, NULL, NULL, pg_get_triggerdef(oid) FROM pg_trigger
               WHERE NOT tgisinternal
             UNION ALL
             SELECT 'functions', proname, NULL, NULL, NULL, NULL, prosrc FROM pg_proc
               WHERE pronamespace = 'public'::regnamespace
             ORDER BY 1, 2"
        }
        _ => "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name",
    };
    let rows = JsonValue::find_by_statement(Statement::from_string(backend, sql.to_owned()));
    let rows = rows.all(connection).await.expect("the catalog can be read");
    rows.iter().map(ToString::to_string).collect()
}

fn is_applied_since_0_1_0((name, is_applied): &(String, bool)) -> bool {
    *is_applied && name.as_str() > "m20261128_000006_mark_deleted_users"
}

/// The titles of the user's tasks in the order of their last changes.
async fn titles_of_changes(user: &Actor<'_>) -> Vec<String> {
    let query = "{ taskChanges(first: 100) { changes { task { title } } } }";
    let changes = user.data(query, json!({})).await["taskChanges"]["changes"].clone();
    let title = |change: &Value| change["task"]["title"].as_str().expect("a title").to_owned();
    changes.as_array().expect("changes").iter().map(title).collect()
}

/// The positions of the user's tasks, sorted. The last one is the counter of the user.
async fn positions(app: &TestApp, user: &Actor<'_>) -> Vec<i64> {
    let heads = app.rows("(SELECT owner_id AS id, position FROM change_heads) AS heads").await;
    let mut numbers = Vec::new();
    for (row, owner) in
        app.rows("tasks").await.iter().zip(repeat("owner_id")).chain(heads.iter().zip(repeat("id")))
    {
        let row: Value = serde_json::from_str(row).expect("a row is JSON");
        if row[owner] == user.id {
            numbers.push(row["position"].as_i64().expect("a number"));
        }
    }
    numbers.sort_unstable();
    let head = numbers.pop();
    assert_eq!(head, numbers.last().copied(), "the counter");
    numbers
}

on_both_databases! {
    async fn migrating_down_and_up_again_gives_the_same_schema(app) {
        let before = structure(app).await;
        let count = app.database.migrations().await.expect("a list").len();
        for _ in 0..count {
            app.database.migrate_down().await.expect("the migration is reverted");
        }
        let reverted = app.database.migrations().await.expect("a list");
        assert!(reverted.iter().all(|(_, applied)| !applied), "{reverted:?}");
        assert!(!structure(app).await.iter().any(|row| row.contains("users")));
        app.database.migrate_up().await.expect("the migrations run");
        assert_eq!(structure(app).await, before);
    }

    async fn migrating_a_migrated_database_changes_nothing(app) {
        let before = structure(app).await;
        app.database.migrate_up().await.expect("no migration is pending");
        assert_eq!(structure(app).await, before);
    }

    /// SeaORM adds every column of an entity that the database does not have.
    async fn the_entities_and_the_migrated_database_agree(app) {
        let before = structure(app).await;
        app.database.sync_entities().await.expect("the entities match");
        assert_eq!(structure(app).await, before);
    }

    async fn concurrent_migrations_of_several_instances_run_once(app) {
        let count = app.database.migrations().await.expect("a list").len();
        for _ in 0..count {
            app.database.migrate_down().await.expect("the migration is reverted");
        }
        let instances = (0..4).map(|_| app.database.migrate_up());
        for outcome in futures_util::future::join_all(instances).await {
            outcome.expect("every instance succeeds");
        }
        let applied = app.database.migrations().await.expect("a list");
        assert!(applied.iter().all(|(_, applied)| *applied), "{applied:?}");
    }

    /// Without the migration of live changes and those after it, the database is one of version 0.1.0.
    async fn the_tasks_of_version_0_1_0_are_numbered_in_the_order_of_their_last_changes(app) {
        let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
        for (user, count) in [(&ann, 7), (&bob, 3)] {
            for number in 0..count {
                user.task(&number.to_string()).await;
            }
        }
        while app.database.migrations().await.expect("a list").iter().any(is_applied_since_0_1_0) {
            app.database.migrate_down().await.expect("the migration is reverted");
        }
        // Tasks 1 and 2 have equal times, and task 5 is the oldest.
        app.execute_sql("UPDATE tasks SET updated_at = created_at, version = version + 1").await;
        app.execute_sql("UPDATE tasks SET updated_at = (SELECT max(updated_at) FROM tasks) WHERE title IN ('1', '2')").await;
        app.execute_sql("UPDATE tasks SET updated_at = (SELECT min(updated_at) FROM tasks WHERE title = '0') WHERE title = '5'").await;
        app.execute_sql("UPDATE tasks SET updated_at = (SELECT max(updated_at) FROM tasks) WHERE title = '0'").await;
        app.execute_sql("UPDATE tasks SET deleted_at = updated_at WHERE title = '6'").await;
        for _ in 0..2 {
            app.database.migrate_up().await.expect("the migrations run");
            let (of_ann, of_bob) = (["5", "3", "4", "6", "0", "1", "2"], ["0", "1", "2"]);
            for (user, expected) in [(&ann, &of_ann[..]), (&bob, &of_bob), (&eve, &[])] {
                assert_eq!(titles_of_changes(user).await, expected);
                assert_eq!(positions(app, user).await, (1..=expected.len() as i64).collect::<Vec<_>>());
            }
            app.database.migrate_down().await.expect("the migration is reverted");
        }
        app.database.migrate_up().await.expect("the migrations run");
        for (user, position) in [(&ann, 8), (&bob, 4), (&eve, 1)] {
            user.task("new").await;
            assert_eq!(titles_of_changes(user).await.pop().as_deref(), Some("new"));
            assert_eq!(positions(app, user).await.pop(), Some(position));
        }
    }
}
