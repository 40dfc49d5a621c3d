//! Migrated databases for the tests in this process. The migrations run once on a database of each kind, and each
//! test gets a copy, because all migrations together take longer than most tests.

use std::fs;
use std::path::Path;

use taskhold::config::Config;
use taskhold::db::Database;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{admin, postgres};

/// Writes a migrated SQLite database to a file.
pub async fn write_sqlite_file(path: &Path) {
    static MIGRATED: OnceCell<Vec<u8>> = OnceCell::const_new();
    let migrated = MIGRATED.get_or_init(async || {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let path = folder.path().join("migrated.db");
        migrate(&format!("sqlite://{}", path.display())).await;
        fs::read(path).expect("the closed database is one file")
    });
    fs::write(path, migrated.await).expect("the folder can be written to");
}

/// Creates a migrated database on the test server.
pub async fn create_on_postgres(server: &'static str, name: &str) {
    static MIGRATED: OnceCell<String> = OnceCell::const_new();
    if !postgres::is_temporary() {
        // A server that goes on after the tests would keep the database that is copied.
        return create_and_migrate(server, name).await;
    }
    let migrated = MIGRATED.get_or_init(async || {
        let migrated = format!("taskhold_test_{}", Uuid::new_v4().simple());
        create_and_migrate(server, &migrated).await;
        migrated
    });
    admin::run(server, format!("CREATE DATABASE {name} TEMPLATE {}", migrated.await)).await;
}

async fn create_and_migrate(server: &'static str, name: &str) {
    admin::run(server, format!("CREATE DATABASE {name}")).await;
    migrate(&postgres::url_of(server, name)).await;
}

/// Applies the migrations. Afterwards nothing is connected to the database.
async fn migrate(url: &str) {
    let config = Config::from_flags(["--database-url", url]).expect("the flags are valid");
    let url = config.database.url().expect("the URL is valid");
    let database = Database::connect(&url, 1).await.expect("the database accepts connections");
    database.migrate_up().await.expect("the migrations run");
    database.close().await;
}
