//! Creates `tasks`. `title_key` is the title in lower case. It is compared byte by byte, so that both
//! databases order titles in the same way. Active tasks have one index for each frequent list order. The
//! indexes start with the owner, so that the cost of a page does not depend on the tasks of other users.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut title_key = text("title_key");
        if manager.get_database_backend() == DbBackend::Postgres {
            // SQLite compares bytes by default. The default of PostgreSQL depends on the cluster.
            title_key = title_key.extra(r#"COLLATE "C""#).to_owned();
        }
        manager
            .create_table(
                Table::create()
                    .table("tasks")
                    .col(uuid("id").primary_key())
                    .col(uuid("owner_id"))
                    .col(text("title"))
                    .col(title_key)
                    .col(text_null("description"))
                    .col(text("status"))
                    .col(text("priority"))
                    .col(timestamp_with_time_zone_null("due_at"))
                    .col(timestamp_with_time_zone_null("completed_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(timestamp_with_time_zone_null("deleted_at"))
                    .col(integer("version"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("tasks_owner_id_fkey")
                            .from("tasks", "owner_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for column in ["created_at", "updated_at", "due_at"] {
            manager
                .create_index(
                    Index::create()
                        .name(format!("tasks_owner_id_{column}_idx"))
                        .table("tasks")
                        .col("owner_id")
                        .col(column)
                        .col("id")
                        .and_where(Expr::col("deleted_at").is_null())
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("tasks").to_owned()).await
    }
}
