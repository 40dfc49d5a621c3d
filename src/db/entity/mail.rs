//! A row of `mails`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// The account, unless it was deleted.
    pub user_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub recipient: String,
    /// The row of `email_tokens` whose token is in the link.
    pub token_id: Option<Uuid>,
    /// The time that the mail names.
    pub event_at: DateTimeUtc,
    #[sea_orm(column_type = "Text", nullable)]
    pub ip_address: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub key_start: Option<String>,
    pub created_at: DateTimeUtc,
    pub due_at: DateTimeUtc,
    /// Until then, one instance has the mail.
    pub lease_until: Option<DateTimeUtc>,
    pub attempts: i32,
    pub gives_up_at: DateTimeUtc,
    pub failed_at: Option<DateTimeUtc>,
    /// The reply code of the mail server to the last attempt.
    pub smtp_code: Option<i32>,
}

impl ActiveModelBehavior for ActiveModel {}
