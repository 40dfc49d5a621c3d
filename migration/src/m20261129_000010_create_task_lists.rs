//! Creates `task_lists` and `task_documents`, and adds to tasks what they have from their line in a list. `source` is
//! a document as it was stored. `stories` contains the keys of stories, each between two line feeds. `origin` is the
//! index of a part in the document of its task. Every new column is null for a task that belongs to no list, but
//! for `list_position`, which is then 0.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

const PARTS: [&str; 3] = ["checklist_items", "risks", "file_changes"];
const TASK_COLUMNS: [&str; 11] = [
    "list_id",
    "key",
    "text",
    "details",
    "parallel",
    "stories",
    "phase_id",
    "phase_number",
    "list_position",
    "base_version",
    "deleted_with_list",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(lists()).await?;
        for index in list_indexes() {
            manager.create_index(index).await?;
        }
        manager.create_table(documents()).await?;
        let list_id = uuid_null("list_id").extra("REFERENCES task_lists (id) ON DELETE CASCADE").to_owned();
        let columns = [
            list_id,
            text_null("key"),
            text_null("text"),
            text_null("details"),
            boolean_null("parallel"),
            text_null("stories"),
            uuid_null("phase_id"),
            text_null("phase_number"),
            big_integer("list_position").default(0).to_owned(),
            integer_null("base_version"),
            boolean_null("deleted_with_list"),
        ];
        for column in columns {
            // SQLite adds one column per statement.
            manager.alter_table(Table::alter().table("tasks").add_column(column).to_owned()).await?;
        }
        manager.create_index(positions()).await?;
        for part in PARTS {
            let origin = integer_null("origin");
            manager.alter_table(Table::alter().table(part).add_column(origin).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for part in PARTS {
            manager.alter_table(Table::alter().table(part).drop_column("origin").to_owned()).await?;
        }
        let positions = Index::drop().name("tasks_list_id_list_position_idx").table("tasks").to_owned();
        manager.drop_index(positions).await?;
        for column in TASK_COLUMNS {
            manager.alter_table(Table::alter().table("tasks").drop_column(column).to_owned()).await?;
        }
        manager.drop_table(Table::drop().table("task_documents").to_owned()).await?;
        manager.drop_table(Table::drop().table("task_lists").to_owned()).await
    }
}

fn lists() -> TableCreateStatement {
    Table::create()
        .table("task_lists")
        .col(uuid("id").primary_key())
        .col(uuid("owner_id"))
        .col(text("title"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(timestamp_with_time_zone_null("deleted_at"))
        .col(integer("version"))
        .col(text("ordering").default("MARKED"))
        .col(text("source"))
        .foreign_key(
            ForeignKey::create()
                .name("task_lists_owner_id_fkey")
                .from("task_lists", "owner_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn list_indexes() -> Vec<IndexCreateStatement> {
    let of_owner = |column: &'static str| {
        let mut index = Index::create();
        index.name(format!("task_lists_owner_id_{column}_idx")).table("task_lists");
        index.col("owner_id").col(column).col("id").to_owned()
    };
    let deleted = || Expr::col("deleted_at");
    let expired = Index::create()
        .name("task_lists_deleted_at_idx")
        .table("task_lists")
        .col("deleted_at")
        .and_where(deleted().is_not_null())
        .to_owned();
    vec![
        // Also for the deletion of all lists of an owner.
        of_owner("created_at"),
        of_owner("deleted_at").and_where(deleted().is_not_null()).to_owned(),
        expired,
    ]
}

fn documents() -> TableCreateStatement {
    Table::create()
        .table("task_documents")
        .col(uuid("task_id").primary_key())
        .col(text("source"))
        .foreign_key(
            ForeignKey::create()
                .name("task_documents_task_id_fkey")
                .from("task_documents", "task_id")
                .to("tasks", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// Keys are unique in a list because every transaction that gives one locks the list first. They have no index: a key
/// can be longer than an entry of an index of PostgreSQL may be. Tasks that belong to no list are not in this index.
fn positions() -> IndexCreateStatement {
    Index::create()
        .name("tasks_list_id_list_position_idx")
        .table("tasks")
        .col("list_id")
        .col("list_position")
        .col("id")
        .and_where(Expr::col("list_id").is_not_null())
        .to_owned()
}
