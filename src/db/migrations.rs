//! Migrations, and the connection of SeaORM's own that they need: its migrator works on no other.

use anyhow::anyhow;
use migration::{MigrationStatus, Migrator, MigratorTrait};
use sea_orm::sqlx::postgres::PgPoolOptions;
use sea_orm::sqlx::sqlite::SqlitePoolOptions;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};

use super::Database;
use super::entity;
use super::error::is_lock_timeout;
use super::pool::{ACQUIRE_TIMEOUT, Target};

/// The key of the advisory lock that lets one instance migrate at a time: "taskhold" as a number.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"taskhold");

impl Database {
    /// A connection of SeaORM's own, without limits of time and outside the pool. It is for migrations and
    /// for tests that look at the tables themselves; the caller closes it.
    #[doc(hidden)]
    pub async fn direct_connection(&self) -> anyhow::Result<DatabaseConnection> {
        Ok(match &*self.target {
            Target::Postgres(connector) => {
                let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
                let pool = pool.connect_with(connector.options().clone()).await?;
                SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
            }
            Target::Sqlite(file) => {
                let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
                let pool = pool.connect_with(file.options()).await?;
                SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
            }
        })
    }

    /// Applies the migrations that are missing, in one transaction; of several instances at once, one.
    pub async fn migrate_up(&self) -> anyhow::Result<()> {
        let connection = self.direct_connection().await?;
        let transaction = begin(&connection).await?;
        Migrator::up(&transaction, None).await.map_err(explained)?;
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    /// Takes the newest migration back.
    pub async fn migrate_down(&self) -> anyhow::Result<()> {
        let connection = self.direct_connection().await?;
        let transaction = begin(&connection).await?;
        Migrator::down(&transaction, Some(1)).await?;
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    /// The name of every migration and whether it is applied, oldest first.
    pub async fn migrations(&self) -> anyhow::Result<Vec<(String, bool)>> {
        let connection = self.direct_connection().await?;
        let migrations = Migrator::get_migration_with_status_read_only(&connection).await?;
        connection.close().await?;
        let is_applied = |status| status == MigrationStatus::Applied;
        Ok(migrations.iter().map(|each| (each.name().to_owned(), is_applied(each.status()))).collect())
    }

    /// Adds to the database what the entities have and it has not: for the test that this is nothing.
    #[doc(hidden)]
    pub async fn sync_entities(&self) -> anyhow::Result<()> {
        let connection = self.direct_connection().await?;
        let entities = connection.get_schema_builder();
        let entities = entities
            .register(entity::user::Entity)
            .register(entity::session::Entity)
            .register(entity::session_ending::Entity)
            .register(entity::login_attempt::Entity)
            .register(entity::task::Entity)
            .register(entity::checklist_item::Entity)
            .register(entity::risk::Entity)
            .register(entity::file_change::Entity);
        entities.sync(&connection).await?;
        Ok(connection.close().await?)
    }
}

/// Says what to do about a table that is in use.
fn explained(error: DbErr) -> anyhow::Error {
    if is_lock_timeout(&error) {
        anyhow!("a table is in use for more than 2s, by a backup for example; try again when that has ended")
    } else {
        error.into()
    }
}

async fn begin(connection: &DatabaseConnection) -> anyhow::Result<DatabaseTransaction> {
    let is_postgres = connection.get_database_backend() == DbBackend::Postgres;
    // SQLite refuses to turn a reading transaction into a writing one when somebody has written meanwhile.
    let sqlite_transaction_mode = (!is_postgres).then_some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
    let transaction = connection.begin_with_options(options).await?;
    if is_postgres {
        // The role may have a limit, and an index of a large table takes its time.
        let without_limits = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";
        transaction.execute_unprepared(without_limits).await?;
        // Bound to the transaction: a session's lock would be lost behind a pooler.
        let lock = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
        transaction.execute_unprepared(&lock).await?;
        // While a migration waits for a table, every other statement on that table waits behind it.
        transaction.execute_unprepared("SET LOCAL lock_timeout = '2s'").await?;
    }
    Ok(transaction)
}
