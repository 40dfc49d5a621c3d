//! Creates `task_dependencies`, the dependencies that clients added, and `claims`. Adds to tasks the claim that
//! was made last, unless it has ended in another way than by its expiry. `paths` is an array in JSON.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(dependencies()).await?;
        manager.create_table(claims()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let claim = uuid_null("claim_id");
        manager.alter_table(Table::alter().table("tasks").add_column(claim).to_owned()).await?;
        manager.create_index(claimed_tasks()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let claimed = Index::drop().name("tasks_list_id_claim_id_idx").table("tasks").to_owned();
        manager.drop_index(claimed).await?;
        manager.alter_table(Table::alter().table("tasks").drop_column("claim_id").to_owned()).await?;
        manager.drop_table(Table::drop().table("claims").to_owned()).await?;
        manager.drop_table(Table::drop().table("task_dependencies").to_owned()).await
    }
}

fn reference(table: &str, column: &str, to: &str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}_fkey"))
        .from(Alias::new(table), Alias::new(column))
        .to(Alias::new(to), "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn dependencies() -> TableCreateStatement {
    Table::create()
        .table("task_dependencies")
        .col(uuid("task_id"))
        .col(uuid("blocked_by_id"))
        .col(big_integer("position"))
        .primary_key(Index::create().col("task_id").col("blocked_by_id"))
        .foreign_key(&mut reference("task_dependencies", "task_id", "tasks"))
        .foreign_key(&mut reference("task_dependencies", "blocked_by_id", "tasks"))
        .to_owned()
}

fn claims() -> TableCreateStatement {
    Table::create()
        .table("claims")
        .col(uuid("id").primary_key())
        .col(uuid("owner_id"))
        .col(uuid("task_id"))
        .col(text("worker"))
        .col(text("paths"))
        .col(timestamp_with_time_zone("claimed_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("completed_at"))
        .foreign_key(&mut reference("claims", "owner_id", "users"))
        .foreign_key(&mut reference("claims", "task_id", "tasks"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |table: &str, column: &str| {
        let name = format!("{table}_{column}_idx");
        Index::create().name(name).table(Alias::new(table)).col(Alias::new(column)).to_owned()
    };
    vec![
        // For the tasks that a task blocks, and for the deletion of tasks.
        index("task_dependencies", "blocked_by_id"),
        // For the deletion of owners and tasks.
        index("claims", "owner_id"),
        index("claims", "task_id"),
        // For the deletion of old claims.
        index("claims", "expires_at"),
    ]
}

/// The few tasks of a list that have a claim.
fn claimed_tasks() -> IndexCreateStatement {
    Index::create()
        .name("tasks_list_id_claim_id_idx")
        .table("tasks")
        .col("list_id")
        .col("claim_id")
        .and_where(Expr::col("claim_id").is_not_null())
        .to_owned()
}
