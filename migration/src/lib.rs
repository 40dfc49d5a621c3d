//! The database schema for SQLite and PostgreSQL, one dated change per file. It does not depend on the
//! service, because a released migration must not change when an entity does.

use sea_orm_migration::prelude::*;

mod m20261121_000001_create_users;
mod m20261121_000002_create_sessions;
mod m20261121_000003_create_tasks;
mod m20261121_000004_create_attempts;
mod m20261121_000005_create_briefs;
mod m20261128_000006_mark_deleted_users;
mod m20261128_000007_order_changes;
mod m20261129_000008_recover_accounts;
mod m20261129_000009_create_api_keys;
mod m20261129_000010_create_task_lists;
mod m20261129_000011_create_claims;

/// Runs the migrations, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_create_users::Migration),
            Box::new(m20261121_000002_create_sessions::Migration),
            Box::new(m20261121_000003_create_tasks::Migration),
            Box::new(m20261121_000004_create_attempts::Migration),
            Box::new(m20261121_000005_create_briefs::Migration),
            Box::new(m20261128_000006_mark_deleted_users::Migration),
            Box::new(m20261128_000007_order_changes::Migration),
            Box::new(m20261129_000008_recover_accounts::Migration),
            Box::new(m20261129_000009_create_api_keys::Migration),
            Box::new(m20261129_000010_create_task_lists::Migration),
            Box::new(m20261129_000011_create_claims::Migration),
        ]
    }
}

pub use sea_orm_migration::{MigrationStatus, MigratorTrait};
