//! A row of `change_heads`: the counter of one owner's changes. Triggers of `tasks` write it.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "change_heads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_name = "owner_id")]
    pub owner: Uuid,
    /// The position of the last change.
    pub position: i64,
    /// The lowest position that a valid cursor may have.
    #[sea_orm(default_value = 0)]
    pub valid_from: i64,
}

impl ActiveModelBehavior for ActiveModel {}
