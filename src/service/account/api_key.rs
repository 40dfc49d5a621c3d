//! Creation of the viewer's API keys.

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::LockType;
use secrecy::SecretString;

use super::Credentials;
use crate::auth::{ClientInfo, NewKeyToken};
use crate::db::entity::api_key;
use crate::db::{in_transaction, map_error};
use crate::domain::{
    ApiKey, Error, Faults, MAX_API_KEYS, MailKind, NewApiKey, Problem, Result, Rule, new_id,
};
use crate::service::api_keys;
use crate::service::mail_queue::NewMail;

/// The users of keys with a longer lifetime are told before the key expires.
const TOLD_LIFETIME: TimeDelta = TimeDelta::days(14);

/// A new API key with its token, which is not stored.
pub struct CreatedApiKey {
    pub key: ApiKey,
    pub token: SecretString,
}

impl Credentials<'_> {
    /// Creates an API key.
    ///
    /// Errors: InvalidCredentials when the password is wrong; RateLimited after too many failures; Invalid when the
    /// user has too many keys.
    pub async fn create_api_key(
        &self,
        new: &NewApiKey,
        password: &SecretString,
        client: &ClientInfo,
    ) -> Result<CreatedApiKey> {
        let row = self.verify_password(password, client).await?;
        let NewKeyToken { token, start, hash } = NewKeyToken::generate().map_err(Error::internal)?;
        let now = self.accounts.clock.now();
        let key = in_transaction!(self.database(), |transaction| {
            let row = self.lock(&transaction, &row, LockType::NoKeyUpdate).await?;
            if api_keys::count_active(&transaction, row.id, now).await? >= MAX_API_KEYS {
                let mut faults = Faults::of("input");
                let message = format!("would result in more than {MAX_API_KEYS} API keys");
                faults.push("", Problem::new(Rule::TooMany, message));
                return Err(Error::Invalid(faults.into_found()));
            }
            api_keys::delete_oldest_expired(&transaction, row.id, now).await?;
            let is_told = new.expires_at - now <= TOLD_LIFETIME;
            let key = api_key::ActiveModel {
                id: Set(new_id()),
                user_id: Set(row.id),
                name: Set(new.name.as_str().to_owned()),
                scopes: Set(new.scopes.bits()),
                start: Set(start.clone()),
                token_hash: Set(hash.to_vec()),
                created_at: Set(now),
                expires_at: Set(new.expires_at),
                last_used_at: Set(None),
                last_used_ip_address: Set(None),
                expiry_told_at: Set(is_told.then_some(now)),
            };
            let key =
                api_key::Entity::insert(key).exec_with_returning(&transaction).await.map_err(map_error)?;
            let mail = NewMail::notice(MailKind::ApiKeyCreated, &row, now).for_client(client);
            let mail = NewMail { key_start: Some(&start), ..mail };
            self.accounts.outbox.queue_notice(&transaction, mail).await?;
            Ok(key)
        })?;
        self.accounts.outbox.notify();
        Ok(CreatedApiKey { key: key.into(), token })
    }
}
