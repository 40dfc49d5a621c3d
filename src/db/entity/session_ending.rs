//! A row of `session_endings`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "session_endings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub session_id: Uuid,
    pub ended_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
