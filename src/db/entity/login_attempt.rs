//! A row of `login_attempts`: a counter of failed logins, of mails or of requests, under a hashed key.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Uuid,
    /// The count.
    pub failures: i32,
    pub resets_at: DateTimeUtc,
    /// The account whose failed logins are counted.
    pub user_id: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
