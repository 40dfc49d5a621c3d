//! A row of `users`.

use sea_orm::entity::prelude::*;

use crate::db::entity::partial_row;
use crate::domain::User;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub email: String,
    #[sea_orm(column_type = "Text", unique)]
    pub email_key: String,
    #[sea_orm(column_type = "Text", unique)]
    pub username: String,
    #[sea_orm(column_type = "Text")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    pub is_active: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Set when the account is deleted. A background job then deletes its rows.
    pub deleted_at: Option<DateTimeUtc>,
    /// When a token that was mailed to `email` came back.
    pub email_verified_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

partial_row! {
    /// The columns of an account, without the password hash, which only sign-in uses.
    pub struct UserRow {
        pub id: Uuid,
        pub email: String,
        pub username: String,
        pub name: String,
        pub is_active: bool,
        pub created_at: DateTimeUtc,
        pub updated_at: DateTimeUtc,
        pub email_verified_at: Option<DateTimeUtc>,
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let UserRow { id, email, username, name, is_active, created_at, updated_at, email_verified_at } = row;
        let email_verified = email_verified_at.is_some();
        Self { id, email, email_verified, username, name, is_active, created_at, updated_at }
    }
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        let email_verified = row.email_verified_at.is_some();
        let Model { id, email, username, name, is_active, created_at, updated_at, .. } = row;
        Self { id, email, email_verified, username, name, is_active, created_at, updated_at }
    }
}
