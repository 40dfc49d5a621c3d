//! A row of `api_keys`.

use sea_orm::entity::prelude::*;

use crate::domain::{ApiKey, Scopes};

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The bits of [`Scopes`].
    pub scopes: i32,
    #[sea_orm(column_type = "Text")]
    pub start: String,
    /// The SHA-256 of the token.
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub last_used_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Text", nullable)]
    pub last_used_ip_address: Option<String>,
    /// When the mail about the expiry was queued.
    pub expiry_told_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: HasOne<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for ApiKey {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: Scopes::from_bits(row.scopes),
            start: row.start,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            last_used_ip_address: row.last_used_ip_address,
        }
    }
}
