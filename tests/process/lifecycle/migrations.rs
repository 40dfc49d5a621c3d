//! Migrations of the database schema: up, down, from several instances, and in agreement with the entities.

use sea_orm::{DbBackend, FromQueryResult, JsonValue, Statement};

use crate::support::{TestApp, on_both_databases};

/// The tables, columns and indexes of the database, from its catalog.
async fn structure(app: &TestApp) -> Vec<String> {
    let connection = app.connection();
    let backend = connection.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, NULL AS sql
               FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL
             SELECT tablename, indexname, NULL, NULL, NULL, NULL, indexdef FROM pg_indexes WHERE schemaname = 'public'
             ORDER BY 1, 2"
        }
        _ => "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name",
    };
    let rows = JsonValue::find_by_statement(Statement::from_string(backend, sql.to_owned()));
    let rows = rows.all(connection).await.expect("the catalog can be read");
    rows.iter().map(ToString::to_string).collect()
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
}
