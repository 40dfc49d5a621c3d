//! Creates `login_attempts`: the number of recent failed sign-ins for each account and network. Keys are
//! hashes, so that a leaked table does not show who tried to sign in.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("login_attempts")
                    .col(uuid("key").primary_key())
                    .col(integer("failures"))
                    .col(timestamp_with_time_zone("resets_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("login_attempts").to_owned()).await
    }
}
