//! A row of `login_attempts`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Uuid,
    pub failures: i32,
    pub resets_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
