//! Adds labels, the fields of a task document, and the task parts: checklist items, risks and files. `labels`
//! contains one label per line. `labels_key` contains the folded labels, each between two line feeds.
//! `search_key` contains all folded text that a search covers. Task parts are ordered by `position`, which
//! has gaps. They are deleted with their task.

use sea_orm_migration::sea_orm::prelude::Uuid;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{prelude::*, schema::*};
use unicode_normalization::UnicodeNormalization;

#[derive(DeriveMigrationName)]
pub struct Migration;

const TASK_COLUMNS: [&str; 7] =
    ["labels", "labels_key", "search_key", "date", "owner_label", "objective", "rationale"];
const PARTS: [&str; 3] = ["checklist_items", "risks", "file_changes"];
/// The number of tasks that are read at a time to fill `search_key`.
const BATCH: u64 = 500;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        // Compared byte by byte, which is the default of SQLite but not always that of PostgreSQL.
        let key = |name: &'static str| {
            let mut column = text(name);
            if is_postgres {
                column = column.extra(r#"COLLATE "C""#).to_owned();
            }
            column.default("").to_owned()
        };
        let columns = [
            text("labels").default("").to_owned(),
            key("labels_key"),
            key("search_key"),
            date_null("date"),
            text_null("owner_label"),
            text_null("objective"),
            text_null("rationale"),
        ];
        for column in columns {
            // SQLite adds one column per statement.
            manager.alter_table(Table::alter().table("tasks").add_column(column).to_owned()).await?;
        }
        fill_search_keys(manager).await?;

        // For the deletion of an account, which finds tasks in and outside the trash.
        let of_owner = Index::create().name("tasks_owner_id_idx").table("tasks").col("owner_id").to_owned();
        manager.create_index(of_owner).await?;
        let trash = |name: &'static str| {
            let mut index = Index::create();
            index.name(name).table("tasks").and_where(Expr::col("deleted_at").is_not_null());
            index
        };
        let mut of_owner = trash("tasks_owner_id_deleted_at_idx");
        manager.create_index(of_owner.col("owner_id").col("deleted_at").col("id").to_owned()).await?;
        manager.create_index(trash("tasks_deleted_at_idx").col("deleted_at").to_owned()).await?;

        let items = [uuid_null("parent_id"), text("section"), text("text"), boolean("done")];
        let risks = [text("description"), text("likelihood"), text("impact"), text_null("mitigation")];
        let files = [text("path"), text("kind")];
        for (name, columns) in PARTS.into_iter().zip([&items[..], &risks, &files]) {
            let mut table = part(name);
            for column in columns {
                table.col(column.clone());
            }
            manager.create_table(table).await?;
        }
        for name in PARTS {
            let index = Index::create()
                .name(format!("{name}_task_id_position_idx"))
                .table(name)
                .col("task_id")
                .col("position")
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in PARTS {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        for index in ["tasks_owner_id_idx", "tasks_owner_id_deleted_at_idx", "tasks_deleted_at_idx"] {
            manager.drop_index(Index::drop().name(index).table("tasks").to_owned()).await?;
        }
        for column in TASK_COLUMNS {
            manager.alter_table(Table::alter().table("tasks").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

/// A table of task parts with the columns that all kinds have.
fn part(name: &'static str) -> TableCreateStatement {
    Table::create()
        .table(name)
        .col(uuid("id").primary_key())
        .col(uuid("task_id"))
        .col(big_integer("position"))
        .foreign_key(
            ForeignKey::create()
                .name(format!("{name}_task_id_fkey"))
                .from(name, "task_id")
                .to("tasks", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// Fills the `search_key` of the existing tasks.
async fn fill_search_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let mut last: Option<Uuid> = None;
    loop {
        let without = Query::select()
            .columns(["id", "title", "description"])
            .from("tasks")
            .and_where_option(last.map(|id| Expr::col("id").gt(id)))
            .order_by("id", Order::Asc)
            .limit(BATCH)
            .to_owned();
        let rows = connection.query_all(&without).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let (id, title): (Uuid, String) = (row.try_get("", "id")?, row.try_get("", "title")?);
            last = Some(id);
            let description: Option<String> = row.try_get("", "description")?;
            let searched = format!("{title}\n{}\n", description.unwrap_or_default());
            let update = Query::update()
                .table("tasks")
                .value("search_key", fold(&searched))
                .and_where(Expr::col("id").eq(id))
                .to_owned();
            connection.execute(&update).await?;
        }
    }
}

/// The form of a text for case-insensitive comparison. It is a copy of the service's function, which may
/// change.
fn fold(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ").nfc().collect()
}
