//! The viewer's account. The operations that change what signs the viewer in are in [`Credentials`].

mod api_key;
mod credentials;
mod email;

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, SqlErr};

pub use self::api_key::CreatedApiKey;
pub use self::credentials::{Credentials, PasswordChange};
use crate::auth::Viewer;
use crate::db::entity::user;
use crate::db::map_error;
use crate::domain::{ApiKey, Error, Faults, Problem, ProfileEdit, Result, Rule, Session, User};
use crate::service::accounts::Accounts;
use crate::service::api_keys;

/// Access to the account of one viewer who may read and change it, but not its credentials.
pub struct Account<'a> {
    accounts: &'a Accounts,
    viewer: &'a Viewer,
}

impl<'a> Account<'a> {
    pub(super) fn new(accounts: &'a Accounts, viewer: &'a Viewer) -> Self {
        Self { accounts, viewer }
    }

    /// The condition that selects the viewer's account.
    fn mine(&self) -> SimpleExpr {
        user::COLUMN.id.eq(self.viewer.user_id()).and(user::COLUMN.deleted_at.is_null())
    }

    /// Changes name and username. An edit without a difference does not change `updated_at`.
    ///
    /// Errors: AlreadyExists when another account has the username; Unauthenticated when the account was
    /// deleted.
    pub async fn edit(&self, edit: ProfileEdit) -> Result<User> {
        let changes: Vec<(user::Column, String)> = [
            edit.name.map(|name| (user::Column::Name, name.as_str().to_owned())),
            edit.username.map(|username| (user::Column::Username, username.as_str().to_owned())),
        ]
        .into_iter()
        .flatten()
        .collect();

        // `updated_at` only changes when another column does.
        let mut changed: SimpleExpr = Expr::val(false);
        let mut update = user::Entity::update_many().filter(self.mine());
        for (column, value) in changes {
            changed = changed.or(column.ne(value.clone()));
            update = update.col_expr(column, Expr::val(value));
        }
        let updated_at = CaseStatement::new()
            .case(changed, self.accounts.clock.now())
            .finally(user::Column::UpdatedAt.into_expr());
        update = update.col_expr(user::Column::UpdatedAt, updated_at.into());

        let rows = update
            .exec_with_returning(&self.accounts.database.write_for(self.viewer.user_id()))
            .await
            .map_err(|error| {
                match error.sql_err() {
                    // In this statement only the username can violate a unique constraint.
                    Some(SqlErr::UniqueConstraintViolation(_)) => username_taken(),
                    _ => map_error(error),
                }
            })?;
        rows.into_iter().next().map(User::from).ok_or(ACCOUNT_DELETED)
    }

    /// The viewer's active sessions, most recently used first.
    pub async fn sessions(&self) -> Result<Vec<Session>> {
        self.accounts.sessions.list(self.viewer).await
    }

    /// The viewer's API keys, newest first.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>> {
        api_keys::list(&self.accounts.database.read_for(self.viewer.user_id()), self.viewer.user_id()).await
    }

    /// The requested new e-mail address that is not verified yet.
    pub async fn pending_email(&self) -> Result<Option<String>> {
        let on = self.accounts.database.read_for(self.viewer.user_id());
        self.accounts.email_tokens.pending_email(&on, self.viewer.user_id()).await
    }
}

/// The account was deleted after the viewer was authenticated.
pub(super) const ACCOUNT_DELETED: Error = Error::Unauthenticated("Invalid token");

fn username_taken() -> Error {
    let mut faults = Faults::of("input");
    faults.push("username", Problem::new(Rule::Taken, "is taken"));
    Error::AlreadyExists(faults.into_found())
}
