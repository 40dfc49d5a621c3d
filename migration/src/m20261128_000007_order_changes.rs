//! Gives each task the position of its last change in the order of its owner's changes. `change_heads` has one
//! counter per owner. A trigger takes the position in the transaction of the change, so that no writer can
//! leave it out. The row of the counter stays locked until the transaction ends, so positions become visible
//! in their order. Another trigger records the position of the last task that left the trash for good.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The row of the task is locked before a BEFORE trigger runs, so every change locks a task first and the
/// counter of its owner second. An UPDATE costs less than an INSERT that finds the row, and only the first change of
/// an owner finds none.
const POSTGRES_TRIGGERS: &str = "
    CREATE FUNCTION tasks_take_position() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE change_heads SET position = position + 1 WHERE owner_id = NEW.owner_id
            RETURNING position INTO NEW.position;
        IF NOT FOUND THEN
            INSERT INTO change_heads AS head (owner_id, position) VALUES (NEW.owner_id, 1)
                ON CONFLICT (owner_id) DO UPDATE SET position = head.position + 1
                RETURNING position INTO NEW.position;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER tasks_take_position_of_insert BEFORE INSERT ON tasks
        FOR EACH ROW EXECUTE FUNCTION tasks_take_position();
    CREATE TRIGGER tasks_take_position_of_update BEFORE UPDATE ON tasks
        FOR EACH ROW WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION tasks_take_position();

    CREATE FUNCTION tasks_expire_cursors() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE change_heads SET valid_from = OLD.position
            WHERE owner_id = OLD.owner_id AND valid_from < OLD.position;
        RETURN NULL;
    END $$;
    CREATE TRIGGER tasks_expire_cursors AFTER DELETE ON tasks
        FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL) EXECUTE FUNCTION tasks_expire_cursors();";

/// SQLite cannot change the new row before it is written.
const SQLITE_TRIGGERS: [&str; 3] = [
    "CREATE TRIGGER tasks_take_position_of_insert AFTER INSERT ON tasks BEGIN
        INSERT INTO change_heads (owner_id, position) VALUES (NEW.owner_id, 1)
            ON CONFLICT (owner_id) DO UPDATE SET position = position + 1;
        UPDATE tasks SET position = (SELECT position FROM change_heads WHERE owner_id = NEW.owner_id)
            WHERE rowid = NEW.rowid;
    END",
    "CREATE TRIGGER tasks_take_position_of_update AFTER UPDATE OF version ON tasks
        WHEN NEW.version <> OLD.version BEGIN
        INSERT INTO change_heads (owner_id, position) VALUES (NEW.owner_id, 1)
            ON CONFLICT (owner_id) DO UPDATE SET position = position + 1;
        UPDATE tasks SET position = (SELECT position FROM change_heads WHERE owner_id = NEW.owner_id)
            WHERE rowid = NEW.rowid;
    END",
    "CREATE TRIGGER tasks_expire_cursors AFTER DELETE ON tasks WHEN OLD.deleted_at IS NOT NULL BEGIN
        UPDATE change_heads SET valid_from = OLD.position
            WHERE owner_id = OLD.owner_id AND valid_from < OLD.position;
    END",
];

/// Existing tasks are numbered in the order of their last changes.
const NUMBER_TASKS: &str = "
    UPDATE tasks SET position = numbered.position FROM (
        SELECT id, row_number() OVER (PARTITION BY owner_id ORDER BY updated_at, id) AS position FROM tasks
    ) AS numbered WHERE tasks.id = numbered.id";
const FILL_HEADS: &str = "
    INSERT INTO change_heads (owner_id, position) SELECT owner_id, max(position) FROM tasks GROUP BY owner_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        let position = big_integer("position").default(0).to_owned();
        manager.alter_table(Table::alter().table("tasks").add_column(position).to_owned()).await?;
        manager.create_table(heads()).await?;
        if is_postgres {
            // Free space in each page keeps the updates of a counter out of its index.
            connection.execute_unprepared("ALTER TABLE change_heads SET (fillfactor = 50)").await?;
        }
        connection.execute_unprepared(NUMBER_TASKS).await?;
        connection.execute_unprepared(FILL_HEADS).await?;
        manager
            .create_index(
                Index::create()
                    .name("tasks_owner_id_position_idx")
                    .table("tasks")
                    .col("owner_id")
                    .col("position")
                    .to_owned(),
            )
            .await?;
        manager.drop_index(Index::drop().name("tasks_owner_id_idx").table("tasks").to_owned()).await?;
        if is_postgres {
            connection.execute_unprepared(POSTGRES_TRIGGERS).await?;
        } else {
            for trigger in SQLITE_TRIGGERS {
                connection.execute_unprepared(trigger).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        for trigger in
            ["tasks_take_position_of_insert", "tasks_take_position_of_update", "tasks_expire_cursors"]
        {
            let table = if is_postgres { " ON tasks" } else { "" };
            connection.execute_unprepared(&format!("DROP TRIGGER {trigger}{table}")).await?;
        }
        if is_postgres {
            let functions = "DROP FUNCTION tasks_take_position(); DROP FUNCTION tasks_expire_cursors()";
            connection.execute_unprepared(functions).await?;
        }
        manager
            .drop_index(Index::drop().name("tasks_owner_id_position_idx").table("tasks").to_owned())
            .await?;
        let of_owner = Index::create().name("tasks_owner_id_idx").table("tasks").col("owner_id").to_owned();
        manager.create_index(of_owner).await?;
        manager.drop_table(Table::drop().table("change_heads").to_owned()).await?;
        manager.alter_table(Table::alter().table("tasks").drop_column("position").to_owned()).await
    }
}

/// The counters. A cursor whose position is lower than `valid_from` has expired.
fn heads() -> TableCreateStatement {
    Table::create()
        .table("change_heads")
        .col(uuid("owner_id").primary_key())
        .col(big_integer("position"))
        .col(big_integer("valid_from").default(0))
        .foreign_key(
            ForeignKey::create()
                .name("change_heads_owner_id_fkey")
                .from("change_heads", "owner_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
