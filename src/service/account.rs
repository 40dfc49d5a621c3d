//! The viewer's account.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, SqlErr};
use secrecy::SecretString;

use crate::auth::{ClientInfo, Viewer};
use crate::db::entity::{session, user};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Faults, NewPassword, Problem, ProfileEdit, Result, Rule, User};
use crate::service::accounts::Accounts;
use crate::service::coalesced::CoalescedStatements;
use crate::service::login_throttle::ThrottledAccount;
use crate::service::sessions::SignedIn;

/// Access to the account of one viewer.
pub struct Account<'a> {
    accounts: &'a Accounts,
    coalesced: &'a CoalescedStatements,
    viewer: &'a Viewer,
}

impl<'a> Account<'a> {
    pub(super) fn new(
        accounts: &'a Accounts,
        coalesced: &'a CoalescedStatements,
        viewer: &'a Viewer,
    ) -> Self {
        Self { accounts, coalesced, viewer }
    }

    /// The condition that selects the viewer's account. Statements that several viewers share use the same
    /// id; see [`CoalescedStatements`].
    fn mine(&self) -> SimpleExpr {
        user::COLUMN.id.eq(self.viewer.user_id()).and(user::COLUMN.deleted_at.is_null())
    }

    /// The viewer's account.
    ///
    /// Errors: Unauthenticated when the account was deleted.
    pub async fn get(&self) -> Result<User> {
        self.coalesced.users.submit(self.viewer.user_id()).await?.ok_or(ACCOUNT_DELETED)
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

    /// Sets a new password, refreshes the current session, and revokes the other sessions if `revoke_others`
    /// is true. Returns new tokens of the current session.
    ///
    /// Errors: InvalidCredentials when `current` is wrong; RateLimited after too many failures;
    /// Unauthenticated when the account or the session was deleted.
    pub async fn change_password(
        &self,
        current: &SecretString,
        new: &NewPassword,
        revoke_others: bool,
        client: &ClientInfo,
    ) -> Result<SignedIn> {
        let row = self.verify_password(current, client).await?;
        let hash = self.accounts.passwords.hash(new, client.network()).await?;
        let sessions = &self.accounts.sessions;
        if revoke_others {
            sessions.trim(row.id, self.viewer.session_id()).await?;
        }
        let others = session::COLUMN.user_id.eq(row.id).and(session::COLUMN.id.ne(self.viewer.session_id()));
        let (user, session, revoked) = in_transaction!(self.accounts.database, |transaction| {
            let user = self.set_hash(&transaction, &row, &hash).await?;
            let revoked = match revoke_others {
                true => sessions.revoke_where(&transaction, others.clone()).await?,
                false => Vec::new(),
            };
            let session = sessions.rotate(&transaction, self.viewer.session_id(), None).await?;
            Ok((user, session.ok_or(ACCOUNT_DELETED)?, revoked))
        })?;
        sessions.mark_revoked(&revoked);
        Ok(sessions.signed_in(user, &session))
    }

    /// Deletes the account with all of its data. One short transaction hides the account from all requests
    /// and frees its names. `DeletedAccounts` deletes the rows in the background.
    ///
    /// Errors: InvalidCredentials when the password is wrong; RateLimited after too many failures;
    /// Unauthenticated when the account was deleted already.
    pub async fn delete(&self, password: &SecretString, client: &ClientInfo) -> Result<()> {
        let row = self.verify_password(password, client).await?;
        let sessions = &self.accounts.sessions;
        sessions.trim(row.id, self.viewer.session_id()).await?;
        let revoked = in_transaction!(self.accounts.database, |transaction| {
            self.lock(&transaction, &row).await?;
            let of_viewer = session::COLUMN.user_id.eq(self.viewer.user_id());
            let revoked = sessions.revoke_where(&transaction, of_viewer).await?;
            self.mark_deleted(&transaction).await?;
            Ok(revoked)
        })?;
        sessions.mark_revoked(&revoked);
        self.accounts.purge_requested.notify_one();
        Ok(())
    }

    /// Marks the account as deleted. The names that it gets cannot collide with those of an account: an
    /// e-mail address contains an @, and a username no space.
    async fn mark_deleted(&self, on: &Transaction) -> Result<()> {
        let unusable_name = format!("deleted {}", self.viewer.user_id());
        let mark = user::Entity::update_many()
            .filter(self.mine())
            .col_expr(user::Column::DeletedAt, Expr::val(self.accounts.clock.now()))
            .col_expr(user::Column::IsActive, Expr::val(false))
            .col_expr(user::Column::EmailKey, Expr::val(unusable_name.as_str()))
            .col_expr(user::Column::Username, Expr::val(unusable_name.as_str()))
            .col_expr(user::Column::Email, Expr::val(""))
            .col_expr(user::Column::Name, Expr::val(""))
            .col_expr(user::Column::PasswordHash, Expr::val(""));
        mark.exec(on).await.map_err(map_error).map(drop)
    }

    /// Verifies the password of the account and returns the account's row. A wrong password counts as a
    /// failed sign-in.
    async fn verify_password(&self, password: &SecretString, client: &ClientInfo) -> Result<user::Model> {
        let verification = self.accounts.passwords.reserve(client.network()).await?;
        let row = user::Entity::find().filter(self.mine()).one(self.accounts.database.read()).await;
        let row = row.map_err(map_error)?.ok_or(ACCOUNT_DELETED)?;
        let attempt = self.accounts.throttle.begin(ThrottledAccount::Known(row.id), client).await?;
        let is_correct = verification.verify(password, Some(&row.password_hash)).await?;
        if attempt.finish(is_correct).await? { Ok(row) } else { Err(WRONG_PASSWORD) }
    }

    /// Locks the account, so that no session is opened while its sessions are revoked. Fails with
    /// InvalidCredentials when the password has changed since it was verified.
    async fn lock(&self, on: &Transaction, row: &user::Model) -> Result<()> {
        let unchanged = user::Entity::find()
            .filter(self.mine())
            .filter(user::COLUMN.password_hash.eq(row.password_hash.as_str()))
            .lock_exclusive();
        unchanged.one(on).await.map_err(map_error)?.map(drop).ok_or(WRONG_PASSWORD)
    }

    /// Sets the password hash. Fails with InvalidCredentials when the password has changed since it was
    /// verified.
    async fn set_hash(&self, on: &Transaction, row: &user::Model, hash: &str) -> Result<User> {
        let update = user::Entity::update_many()
            .filter(self.mine())
            .filter(user::COLUMN.password_hash.eq(row.password_hash.as_str()))
            .col_expr(user::Column::PasswordHash, Expr::val(hash))
            .col_expr(user::Column::UpdatedAt, Expr::val(self.accounts.clock.now()));
        let rows = update.exec_with_returning(on).await.map_err(map_error)?;
        rows.into_iter().next().map(User::from).ok_or(WRONG_PASSWORD)
    }
}

/// The account was deleted after the viewer was authenticated.
const ACCOUNT_DELETED: Error = Error::Unauthenticated("Invalid token");
const WRONG_PASSWORD: Error = Error::InvalidCredentials("The password is wrong.");

fn username_taken() -> Error {
    let mut faults = Faults::of("input");
    faults.push("username", Problem::new(Rule::Taken, "is taken"));
    Error::AlreadyExists(faults.into_found())
}
