//! The operations that change what signs the viewer in. They need a session: an API key is not enough.

use sea_orm::sea_query::{Expr, ExprTrait, LockType, SimpleExpr};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use secrecy::SecretString;
use uuid::Uuid;

use super::ACCOUNT_DELETED;
use crate::auth::{ClientInfo, Viewer};
use crate::db::entity::{mail, session, user};
use crate::db::{Transaction, UserDatabase, in_transaction, map_error};
use crate::domain::{Error, MailKind, NewPassword, Result, TokenPurpose};
use crate::service::accounts::Accounts;
use crate::service::api_keys;
use crate::service::login_throttle::ThrottledAccount;
use crate::service::mail_queue::NewMail;
use crate::service::sessions::SignedIn;

const WRONG_PASSWORD: Error = Error::InvalidCredentials("The password is wrong.");

/// Access to the credentials of one viewer who has a session.
pub struct Credentials<'a> {
    pub(super) accounts: &'a Accounts,
    viewer: &'a Viewer,
    session_id: Uuid,
}

/// A change of the password.
pub struct PasswordChange {
    pub current: SecretString,
    pub new: NewPassword,
    pub revoke_other_sessions: bool,
    pub revoke_api_keys: bool,
}

impl<'a> Credentials<'a> {
    /// Errors: MissingRight when the request was made with an API key.
    pub(in crate::service) fn new(accounts: &'a Accounts, viewer: &'a Viewer) -> Result<Self> {
        Ok(Self { accounts, viewer, session_id: viewer.require_session()? })
    }

    /// The user whose credentials these are.
    pub fn user_id(&self) -> Uuid {
        self.viewer.user_id()
    }

    /// The condition that selects the viewer's account while it is active.
    fn mine(&self) -> SimpleExpr {
        user::COLUMN.id.eq(self.viewer.user_id()).and(user::COLUMN.is_active.eq(true))
    }

    /// The database for transactions, within the connections that the viewer may use.
    pub(super) fn database(&self) -> UserDatabase<'a> {
        self.accounts.database.for_user(self.viewer.user_id())
    }

    /// Sets a new password and refreshes the current session. Ends the links of mails that set a password, and a
    /// pending change of the address. Returns new tokens of the current session.
    ///
    /// Errors: InvalidCredentials when the current password is wrong; RateLimited after too many failures;
    /// Unauthenticated when the account or the session was deleted.
    pub async fn change_password(&self, change: &PasswordChange, client: &ClientInfo) -> Result<SignedIn> {
        let row = self.verify_password(&change.current, client).await?;
        let hash = self.accounts.passwords.hash(&change.new, client.network()).await?;
        let sessions = &self.accounts.sessions;
        if change.revoke_other_sessions {
            sessions.trim(row.id, self.session_id).await?;
        }
        let others = session::COLUMN.user_id.eq(row.id).and(session::COLUMN.id.ne(self.session_id));
        let now = self.accounts.clock.now();
        let (user, session, revoked) = in_transaction!(self.database(), |transaction| {
            let user = self.set_hash(&transaction, &row, &hash).await?;
            let ended = [TokenPurpose::Reset, TokenPurpose::Confirm];
            self.accounts.email_tokens.end(&transaction, row.id, &ended).await?;
            let mut revoked = match change.revoke_other_sessions {
                true => sessions.revoke_where(&transaction, others.clone()).await?,
                false => Vec::new(),
            };
            if change.revoke_api_keys {
                revoked.extend(api_keys::revoke_all(&transaction, row.id, now).await?);
            }
            let session = sessions.rotate(&transaction, self.session_id, None).await?;
            let mail = NewMail::notice(MailKind::PasswordChanged, &user, now).for_client(client);
            self.accounts.outbox.queue_notice(&transaction, mail).await?;
            Ok((user, session.ok_or(ACCOUNT_DELETED)?, revoked))
        })?;
        self.accounts.outbox.notify();
        sessions.mark_revoked(&revoked);
        Ok(sessions.signed_in(user.into(), &session))
    }

    /// Deletes the account with all of its data. One short transaction hides the account from all requests
    /// and frees its names. `DeletedAccounts` deletes the rows in the background.
    ///
    /// Errors: InvalidCredentials when the password is wrong; RateLimited after too many failures;
    /// Unauthenticated when the account was deleted already.
    pub async fn delete(&self, password: &SecretString, client: &ClientInfo) -> Result<()> {
        let row = self.verify_password(password, client).await?;
        let sessions = &self.accounts.sessions;
        sessions.trim(row.id, self.session_id).await?;
        let now = self.accounts.clock.now();
        let revoked = in_transaction!(self.database(), |transaction| {
            let row = self.lock(&transaction, &row, LockType::Update).await?;
            let purposes = [TokenPurpose::Verify, TokenPurpose::Confirm, TokenPurpose::Reset];
            self.accounts.email_tokens.end(&transaction, row.id, &purposes).await?;
            let of_viewer = session::COLUMN.user_id.eq(self.viewer.user_id());
            let mut revoked = sessions.revoke_where(&transaction, of_viewer).await?;
            revoked.extend(api_keys::revoke_all(&transaction, row.id, now).await?);
            let waiting = mail::Entity::delete_many().filter(mail::COLUMN.user_id.eq(row.id));
            waiting.exec(&transaction).await.map_err(map_error)?;
            let mail = NewMail::notice(MailKind::AccountDeleted, &row, now).for_client(client);
            let mail = NewMail { user_id: None, ..mail };
            self.accounts.outbox.queue_notice(&transaction, mail).await?;
            self.mark_deleted(&transaction).await?;
            Ok(revoked)
        })?;
        self.accounts.outbox.notify();
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

    /// Revokes one of the viewer's sessions. Errors: as [`crate::service::Sessions::revoke`].
    pub async fn revoke_session(&self, id: Uuid) -> Result<()> {
        self.accounts.sessions.revoke(self.viewer, id).await
    }

    /// Verifies the password of the account and returns the account's row. A wrong password counts as a
    /// failed sign-in.
    pub(super) async fn verify_password(
        &self,
        password: &SecretString,
        client: &ClientInfo,
    ) -> Result<user::Model> {
        let verification = self.accounts.passwords.reserve(client.network()).await?;
        let row = user::Entity::find().filter(self.mine()).one(self.accounts.database.read()).await;
        let row = row.map_err(map_error)?.ok_or(ACCOUNT_DELETED)?;
        let attempt = self.accounts.throttle.begin(ThrottledAccount::Known(row.id), client).await?;
        let is_correct = verification.verify(password, Some(&row.password_hash)).await?;
        if attempt.finish(is_correct).await? { Ok(row) } else { Err(WRONG_PASSWORD) }
    }

    /// Locks the account, so that none of its sessions, tokens and API keys is created until the transaction ends.
    /// Fails with InvalidCredentials when the password has changed since it was verified.
    pub(super) async fn lock(
        &self,
        on: &Transaction,
        row: &user::Model,
        lock: LockType,
    ) -> Result<user::Model> {
        let locked = self.lock_with(on, lock).await?;
        if locked.password_hash == row.password_hash { Ok(locked) } else { Err(WRONG_PASSWORD) }
    }

    /// Locks the account. Errors: Unauthenticated when it was deleted.
    pub(super) async fn lock_any(&self, on: &Transaction) -> Result<user::Model> {
        self.lock_with(on, LockType::NoKeyUpdate).await
    }

    async fn lock_with(&self, on: &Transaction, lock: LockType) -> Result<user::Model> {
        let row = user::Entity::find().filter(self.mine()).lock(lock);
        let row = row.one(on).await.map_err(map_error)?.ok_or(ACCOUNT_DELETED)?;
        self.check_session(on).await.map(|()| row)
    }

    /// Errors: Unauthenticated when the session has been revoked since the request was authenticated.
    async fn check_session(&self, on: &Transaction) -> Result<()> {
        let session = session::Entity::find().filter(session::COLUMN.id.eq(self.session_id));
        session.one(on).await.map_err(map_error)?.map(drop).ok_or(ACCOUNT_DELETED)
    }

    /// Sets the password hash. Fails with InvalidCredentials when the password has changed since it was
    /// verified.
    async fn set_hash(&self, on: &Transaction, row: &user::Model, hash: &str) -> Result<user::Model> {
        let update = user::Entity::update_many()
            .filter(self.mine())
            .filter(user::COLUMN.password_hash.eq(row.password_hash.as_str()))
            .col_expr(user::Column::PasswordHash, Expr::val(hash))
            .col_expr(user::Column::UpdatedAt, Expr::val(self.accounts.clock.now()));
        let rows = update.exec_with_returning(on).await.map_err(map_error)?;
        rows.into_iter().next().ok_or(WRONG_PASSWORD)
    }
}
