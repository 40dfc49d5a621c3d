//! Verification and change of the viewer's e-mail address.

use sea_orm::sea_query::{ExprTrait, LockType};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use secrecy::SecretString;

use super::Credentials;
use crate::auth::ClientInfo;
use crate::db::entity::user;
use crate::db::{in_transaction, map_error};
use crate::domain::{Email, Error, Faults, MailKind, Problem, Result, Rule, TokenPurpose, User};
use crate::service::email_tokens::NewToken;
use crate::service::mail_queue::NewMail;

impl Credentials<'_> {
    /// Sends a mail with a link that verifies the account's address, unless it is verified.
    ///
    /// Errors: RateLimited when one was sent within the last minute or too many within the hour; Unavailable when
    /// too many mails wait; Unauthenticated when the account was deleted.
    pub async fn send_verification(&self, client: &ClientInfo) -> Result<User> {
        self.accounts.outbox.check_capacity(self.accounts.database.read()).await?;
        let user = in_transaction!(self.database(), |transaction| {
            let row = self.lock_any(&transaction).await?;
            if row.email_verified_at.is_none() {
                self.accounts.outbox.count_link(&transaction, MailKind::VerifyEmail, &row.email_key).await?;
                self.accounts.queue_verification(&transaction, row.id, &row.email, client).await?;
            }
            Ok(row.into())
        })?;
        self.accounts.outbox.notify();
        Ok(user)
    }

    /// Asks for another e-mail address, in the place of an earlier request. The result does not tell whether another
    /// account has the address.
    ///
    /// Errors: InvalidCredentials when the password is wrong; RateLimited after too many failures or mails;
    /// Invalid when the account has the address; Unavailable when too many mails wait.
    pub async fn change_email(
        &self,
        new: &Email,
        password: &SecretString,
        client: &ClientInfo,
    ) -> Result<User> {
        self.accounts.outbox.check_capacity(self.accounts.database.read()).await?;
        let row = self.verify_password(password, client).await?;
        let (key, now) = (new.key(), self.accounts.clock.now());
        let user = in_transaction!(self.database(), |transaction| {
            let row = self.lock(&transaction, &row, LockType::NoKeyUpdate).await?;
            if row.email == new.as_str() {
                let mut faults = Faults::of("input");
                faults.push("newEmail", Problem::new(Rule::Duplicate, "is the address of the account"));
                return Err(Error::Invalid(faults.into_found()));
            }
            self.accounts.outbox.count_link(&transaction, MailKind::ConfirmEmail, &key).await?;
            let other = user::COLUMN.email_key.eq(key.as_str()).and(user::COLUMN.id.ne(row.id));
            let is_taken =
                user::Entity::find().filter(other).count(&transaction).await.map_err(map_error)? > 0;
            let kind = if is_taken { MailKind::AddressInUse } else { MailKind::ConfirmEmail };
            let token = NewToken {
                user_id: row.id,
                purpose: TokenPurpose::Confirm,
                email: new.as_str(),
                usable: !is_taken,
                delivered_within: Some(kind.gives_up_after()),
            };
            let token_id = self.accounts.email_tokens.create(&transaction, token).await?;
            let mail = NewMail {
                recipient: new.as_str(),
                token_id: Some(token_id),
                ..NewMail::notice(kind, &row, now).for_client(client)
            };
            self.accounts.outbox.queue(&transaction, mail).await?;
            let notice = NewMail::notice(MailKind::EmailChangeRequested, &row, now).for_client(client);
            self.accounts.outbox.queue_notice(&transaction, notice).await?;
            Ok(row.into())
        })?;
        self.accounts.outbox.notify();
        Ok(user)
    }

    /// Cancels a requested change of the address, if there is one.
    ///
    /// Errors: Unauthenticated when the account was deleted.
    pub async fn cancel_email_change(&self) -> Result<User> {
        in_transaction!(self.database(), |transaction| {
            let row = self.lock_any(&transaction).await?;
            self.accounts.email_tokens.end(&transaction, row.id, &[TokenPurpose::Confirm]).await?;
            Ok(row.into())
        })
    }
}
