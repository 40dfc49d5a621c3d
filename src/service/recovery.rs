//! Operations with the tokens of mails, for clients that are not signed in: verification of an address, and a new
//! password for a forgotten one.

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect, SqlErr};
use uuid::Uuid;

use crate::auth::ClientInfo;
use crate::db::entity::{email_token, reset_request, session, user};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{
    Error, Faults, MailKind, NewPassword, Problem, Result, Rule, StoredEnum, TokenPurpose, new_id,
};
use crate::service::accounts::Accounts;
use crate::service::api_keys;
use crate::service::mail_queue::NewMail;
use crate::service::rate_counters::{Counter, key};
use crate::service::sessions::limit::trim_sessions;

const INVALID_LINK: Error = Error::InvalidCredentials("This link is not valid any more. Ask for a new one.");

/// A new password, set with the token of a mail.
pub struct PasswordReset {
    pub token: String,
    pub new: NewPassword,
    /// Whether the API keys are revoked too. They are in any case if the address was not verified before.
    pub revoke_api_keys: bool,
}

impl Accounts {
    /// Verifies the address that a token was mailed to, and returns it. The same token again changes nothing.
    ///
    /// Errors: InvalidCredentials when the token is not valid; EmailTaken when another account has taken the new
    /// address.
    pub async fn verify_email(&self, token: &str, client: &ClientInfo) -> Result<String> {
        let row = self.email_tokens.find(self.database.read(), token).await?.ok_or(INVALID_LINK)?;
        let email = in_transaction!(self.database, |transaction| {
            let user = lock_active_user(&transaction, row.user_id).await?.ok_or(INVALID_LINK)?;
            // The token may have been used or ended before the lock.
            let row = self.email_tokens.find(&transaction, token).await?.ok_or(INVALID_LINK)?;
            match TokenPurpose::from_name(&row.purpose) {
                Some(TokenPurpose::Verify) => self.verify_present(&transaction, &user, &row).await?,
                Some(TokenPurpose::Confirm) => self.set_email(&transaction, &user, &row, client).await?,
                Some(TokenPurpose::Reset) | None => return Err(INVALID_LINK),
            }
            Ok(row.email)
        })?;
        self.outbox.notify();
        Ok(email)
    }

    /// Marks the present address of an account as verified.
    async fn verify_present(
        &self,
        on: &Transaction,
        user: &user::Model,
        row: &email_token::Model,
    ) -> Result<()> {
        if user.email != row.email {
            return Err(INVALID_LINK);
        }
        if row.used_at.is_some() || !self.email_tokens.mark_used(on, row.id).await? {
            return Ok(());
        }
        let verify = user::Entity::update_many()
            .filter(user::COLUMN.id.eq(user.id))
            .filter(user::COLUMN.email_verified_at.is_null())
            .col_expr(user::Column::EmailVerifiedAt, Expr::val(self.clock.now()));
        verify.exec(on).await.map_err(map_error).map(drop)
    }

    /// Completes a change of the address.
    async fn set_email(
        &self,
        on: &Transaction,
        user: &user::Model,
        row: &email_token::Model,
        client: &ClientInfo,
    ) -> Result<()> {
        if !self.email_tokens.mark_used(on, row.id).await? {
            return Err(INVALID_LINK);
        }
        let now = self.clock.now();
        let set = user::Entity::update_many()
            .filter(user::COLUMN.id.eq(user.id))
            .col_expr(user::Column::Email, Expr::val(row.email.as_str()))
            .col_expr(user::Column::EmailKey, Expr::val(row.email.to_lowercase()))
            .col_expr(user::Column::EmailVerifiedAt, Expr::val(now))
            .col_expr(user::Column::UpdatedAt, Expr::val(now));
        set.exec(on).await.map_err(|error| match error.sql_err() {
            // In this statement only the address can violate a unique constraint.
            Some(SqlErr::UniqueConstraintViolation(_)) => email_taken(),
            _ => map_error(error),
        })?;
        self.email_tokens.end(on, user.id, &[TokenPurpose::Reset]).await?;
        let mail = NewMail::notice(MailKind::EmailChanged, user, now).for_client(client);
        self.outbox.queue_notice(on, mail).await
    }

    /// Records a request for a new password. The account is looked up afterwards, so that neither the result nor the
    /// time depends on whether it exists.
    ///
    /// Errors: RateLimited after too many requests of the client's network; Unavailable when too many mails wait.
    pub async fn request_password_reset(&self, login: &str, client: &ClientInfo) -> Result<()> {
        let row = reset_request::ActiveModel {
            id: Set(new_id()),
            login: Set(login.to_lowercase()),
            ip_address: Set(client.address.to_canonical().to_string()),
            created_at: Set(self.clock.now()),
        };
        let of_network = Counter {
            key: key(&["reset-request", &client.network().to_string()]),
            limit: self.rules.reset_requests_per_hour,
            period: TimeDelta::hours(1),
            user_id: None,
        };
        in_transaction!(self.database, |transaction| {
            self.outbox.check_capacity(&transaction).await?;
            if of_network.limit > 0 {
                of_network.record(&transaction, self.clock.now()).await?;
            }
            let insert = reset_request::Entity::insert(row.clone()).exec_without_returning(&transaction);
            insert.await.map_err(map_error).map(drop)
        })?;
        self.reset_requested.notify_one();
        Ok(())
    }

    /// Sets a new password with the token of a mail, and returns the address of the account. Ends all sessions and
    /// all other tokens of mails.
    ///
    /// Errors: InvalidCredentials when the token is not valid; no password is hashed then.
    pub async fn reset_password(&self, reset: &PasswordReset, client: &ClientInfo) -> Result<String> {
        let row = self.find_reset(&reset.token).await?;
        let hash = self.passwords.hash(&reset.new, client.network()).await?;
        let trimmed = trim_sessions(&self.database, row.user_id, None, self.clock.now()).await?;
        self.sessions.mark_revoked(&trimmed);
        let (email, revoked) = in_transaction!(self.database, |transaction| {
            let user = lock_active_user(&transaction, row.user_id).await?.ok_or(INVALID_LINK)?;
            if !self.email_tokens.mark_used(&transaction, row.id).await? {
                return Err(INVALID_LINK);
            }
            let revoked = self.set_forgotten_password(&transaction, &user, &row, &hash, reset).await?;
            let mail = NewMail::notice(MailKind::PasswordChanged, &user, self.clock.now()).for_client(client);
            self.outbox.queue_notice(&transaction, mail).await?;
            Ok((user.email, revoked))
        })?;
        self.outbox.notify();
        self.sessions.mark_revoked(&revoked);
        Ok(email)
    }

    /// The row of an unused token that sets a new password for an active account.
    async fn find_reset(&self, token: &str) -> Result<email_token::Model> {
        let row = self.email_tokens.find(self.database.read(), token).await?;
        let is_reset = |row: &email_token::Model| row.purpose == TokenPurpose::Reset.name();
        let row = row.filter(|row| is_reset(row) && row.used_at.is_none()).ok_or(INVALID_LINK)?;
        let user = user::Entity::find().filter(user::COLUMN.id.eq(row.user_id));
        let user = user.filter(user::COLUMN.is_active.eq(true)).one(self.database.read()).await;
        user.map_err(map_error)?.map(|_| row).ok_or(INVALID_LINK)
    }

    /// Sets the password and ends what the former one gave access to. Returns the sessions and API keys that ended.
    async fn set_forgotten_password(
        &self,
        on: &Transaction,
        user: &user::Model,
        row: &email_token::Model,
        hash: &str,
        reset: &PasswordReset,
    ) -> Result<Vec<Uuid>> {
        let now = self.clock.now();
        let mut set = user::Entity::update_many()
            .filter(user::COLUMN.id.eq(user.id))
            .col_expr(user::Column::PasswordHash, Expr::val(hash))
            .col_expr(user::Column::UpdatedAt, Expr::val(now));
        if row.mailed && row.email == user.email && user.email_verified_at.is_none() {
            set = set.col_expr(user::Column::EmailVerifiedAt, Expr::val(now));
        }
        set.exec(on).await.map_err(map_error)?;
        self.email_tokens.end(on, user.id, &[TokenPurpose::Reset, TokenPurpose::Confirm]).await?;
        self.throttle.clear(on, user.id).await?;
        let mut revoked = self.sessions.revoke_where(on, session::COLUMN.user_id.eq(user.id)).await?;
        if reset.revoke_api_keys || user.email_verified_at.is_none() {
            revoked.extend(api_keys::revoke_all(on, user.id, now).await?);
        }
        Ok(revoked)
    }
}

/// Locks an account, so that none of its sessions, tokens and API keys is created until the transaction ends. None
/// when it is inactive or deleted.
pub(super) async fn lock_active_user(on: &Transaction, id: Uuid) -> Result<Option<user::Model>> {
    let active = user::Entity::find().filter(user::COLUMN.id.eq(id)).filter(user::COLUMN.is_active.eq(true));
    active.lock(LockType::NoKeyUpdate).one(on).await.map_err(map_error)
}

fn email_taken() -> Error {
    let mut faults = Faults::default();
    faults.push("token", Problem::new(Rule::Taken, "belongs to an address that another account has"));
    Error::EmailTaken(faults.into_found())
}
