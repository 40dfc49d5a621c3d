//! Adds `deleted_at` to `users`. A marked account no longer exists for clients, and its rows are deleted in
//! the background. The second index finds expired sessions, which are also deleted in the background.

use sea_orm_migration::sea_orm::ConnectionTrait;
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let deleted_at = timestamp_with_time_zone_null("deleted_at");
        manager.alter_table(Table::alter().table("users").add_column(deleted_at).to_owned()).await?;
        manager
            .create_index(
                Index::create()
                    .name("users_deleted_at_idx")
                    .table("users")
                    .col("deleted_at")
                    .and_where(Expr::col("deleted_at").is_not_null())
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("sessions_expires_at_idx")
                    .table("sessions")
                    .col("expires_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Without the column a marked account would look like an inactive one.
        let marked =
            Query::delete().from_table("users").and_where(Expr::col("deleted_at").is_not_null()).to_owned();
        manager.get_connection().execute(&marked).await?;
        manager
            .drop_index(Index::drop().name("sessions_expires_at_idx").table("sessions").to_owned())
            .await?;
        manager.drop_index(Index::drop().name("users_deleted_at_idx").table("users").to_owned()).await?;
        let column = Table::alter().table("users").drop_column("deleted_at").to_owned();
        manager.alter_table(column).await
    }
}
