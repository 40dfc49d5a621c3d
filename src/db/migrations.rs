//! Runs migrations. SeaORM's migrator only works on a connection of SeaORM's own type, which is opened here.

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
use super::pool::Target;
use super::timeouts::ACQUIRE_TIMEOUT;

/// The key of the advisory lock that allows one instance to migrate at a time: "taskhold" as a number.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"taskhold");

impl Database {
    /// Opens a connection of SeaORM's own type, outside the pool and without time limits. It is for
    /// migrations, and for tests that read the tables. The caller closes it.
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

    /// Applies the missing migrations in one transaction. When several instances call this at the same time,
    /// one of them applies the migrations and the others wait for it.
    pub async fn migrate_up(&self) -> anyhow::Result<()> {
        let connection = self.direct_connection().await?;
        let transaction = begin(&connection).await?;
        Migrator::up(&transaction, None).await.map_err(explain_lock_timeout)?;
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    /// Reverts the newest migration.
    pub async fn migrate_down(&self) -> anyhow::Result<()> {
        let connection = self.direct_connection().await?;
        let transaction = begin(&connection).await?;
        Migrator::down(&transaction, Some(1)).await?;
        transaction.commit().await?;
        Ok(connection.close().await?)
    }

    /// The name of each migration, oldest first, and whether it is applied.
    pub async fn migrations(&self) -> anyhow::Result<Vec<(String, bool)>> {
        let connection = self.direct_connection().await?;
        let migrations = Migrator::get_migration_with_status_read_only(&connection).await?;
        connection.close().await?;
        let is_applied = |status| status == MigrationStatus::Applied;
        Ok(migrations.iter().map(|each| (each.name().to_owned(), is_applied(each.status()))).collect())
    }

    /// Adds the tables and columns that the entities define and the database does not have. A test uses it to
    /// check that there are none.
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
            .register(entity::change_head::Entity)
            .register(entity::checklist_item::Entity)
            .register(entity::risk::Entity)
            .register(entity::file_change::Entity);
        entities.sync(&connection).await?;
        Ok(connection.close().await?)
    }
}

/// Explains a lock timeout: another session is using the table.
fn explain_lock_timeout(error: DbErr) -> anyhow::Error {
    if is_lock_timeout(&error) {
        anyhow!(
            "a table has been in use for more than 2s, for example by a backup; try again when it is free"
        )
    } else {
        error.into()
    }
}

async fn begin(connection: &DatabaseConnection) -> anyhow::Result<DatabaseTransaction> {
    let is_postgres = connection.get_database_backend() == DbBackend::Postgres;
    // SQLite cannot turn a reading transaction into a writing one when another connection has written in
    // between.
    let sqlite_transaction_mode = (!is_postgres).then_some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions { sqlite_transaction_mode, ..Default::default() };
    let transaction = connection.begin_with_options(options).await?;
    if is_postgres {
        // The role may have a default limit, and indexing a large table may take longer.
        let without_limits = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";
        transaction.execute_unprepared(without_limits).await?;
        // The lock belongs to the transaction, because a session lock would be lost behind a pooler.
        let lock = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
        transaction.execute_unprepared(&lock).await?;
        // While a migration waits for a table, every other statement on this table waits behind it.
        transaction.execute_unprepared("SET LOCAL lock_timeout = '2s'").await?;
    }
    Ok(transaction)
}
