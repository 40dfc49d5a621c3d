//! Account operations for operators, used by the command line only. No request can reach them.

use std::net::{IpAddr, Ipv4Addr};

use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};
use uuid::Uuid;

use crate::auth::Passwords;
use crate::db::entity::{email_token, session, user};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{
    ApiKey, Clock, Error, MailKind, NewPassword, Registration, Result, StoredEnum, TokenPurpose, User,
};
use crate::service::email_tokens::{EmailTokens, NewToken};
use crate::service::mail_queue::{NewMail, Outbox};
use crate::service::recovery::lock_active_user;
use crate::service::sessions::limit::trim_sessions;
use crate::service::sessions::revoke_sessions;
use crate::service::{accounts, api_keys, registration};

/// The number of accounts whose cursors one statement expires.
const ACCOUNTS_PER_RESYNC: u64 = 1_000;

/// Access to all accounts for an operator.
pub struct Operator {
    pub(super) database: Database,
    pub(super) clock: Clock,
    passwords: Passwords,
    outbox: Outbox,
}

impl Operator {
    /// Works on an open, migrated database. Servers may be running on it.
    pub fn new(database: Database) -> Self {
        let clock = Clock::default();
        // The operator sends no mails with links.
        let outbox = Outbox::new(clock.clone(), 0);
        Self { database, clock, passwords: Passwords::default(), outbox }
    }

    /// All accounts, oldest first.
    pub async fn list(&self) -> Result<Vec<User>> {
        let rows = user::Entity::find().filter(user::COLUMN.deleted_at.is_null());
        let rows = rows.order_by_asc(user::Column::CreatedAt).order_by_asc(user::Column::Id);
        let rows = rows.all(self.database.read()).await.map_err(map_error)?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// Creates an account, whether or not registration is open. No mail is sent.
    ///
    /// Errors: AlreadyExists when the e-mail address or the username is taken.
    pub async fn create(&self, registration: &Registration, verified: bool) -> Result<User> {
        let hash = self.passwords.hash(&registration.password, LOCAL_NETWORK).await?;
        in_transaction!(self.database, |transaction| {
            let user = registration::insert(&transaction, registration, &hash, self.clock.now()).await?;
            match verified {
                true => self.mark_verified(&transaction, user.id).await,
                false => Ok(user),
            }
        })
    }

    /// Marks the e-mail address of a user as verified.
    ///
    /// Errors: NotFound when there is no such user.
    pub async fn verify_email(&self, login: &str) -> Result<User> {
        let user = self.find(login).await?;
        in_transaction!(self.database, |transaction| self.mark_verified(&transaction, user.id).await)
    }

    async fn mark_verified(&self, on: &Transaction, id: Uuid) -> Result<User> {
        let verify = user::Entity::update_many()
            .filter(user::COLUMN.id.eq(id))
            .filter(user::COLUMN.deleted_at.is_null())
            .col_expr(user::Column::EmailVerifiedAt, Expr::val(self.clock.now()));
        let rows = verify.exec_with_returning(on).await.map_err(map_error)?;
        rows.into_iter().next().map(User::from).ok_or(NO_USER)
    }

    /// The token of a link that sets a new password for a user. It works like the token of a mail, but does not verify
    /// the address.
    ///
    /// Errors: NotFound when there is no such user, or the user is inactive.
    pub async fn reset_token(&self, login: &str, tokens: &EmailTokens) -> Result<String> {
        let user = self.find(login).await?;
        let id = in_transaction!(self.database, |transaction| {
            let inactive = Error::NotFound("The user is inactive. Activate the user first.");
            let user = lock_active_user(&transaction, user.id).await?.ok_or(inactive)?;
            let token = NewToken {
                user_id: user.id,
                purpose: TokenPurpose::Reset,
                email: &user.email,
                usable: true,
                delivered_within: None,
            };
            tokens.create(&transaction, token).await
        })?;
        Ok(tokens.issue(id))
    }

    /// Sets a new password for a user, who is given by id, e-mail address or username. Revokes all sessions, all API
    /// keys unless `keep_keys` is true, and the tokens of mails.
    ///
    /// Errors: NotFound when there is no such user.
    pub async fn set_password(&self, login: &str, password: &NewPassword, keep_keys: bool) -> Result<User> {
        let hash = self.passwords.hash(password, LOCAL_NETWORK).await?;
        let user = self.find(login).await?;
        let now = self.clock.now();
        trim_sessions(&self.database, user.id, None, now).await?;
        in_transaction!(self.database, |transaction| {
            let value = Expr::val(hash.as_str());
            let user = self.update(&transaction, user.id, user::Column::PasswordHash, value).await?;
            let ended = [TokenPurpose::Reset.name(), TokenPurpose::Confirm.name()];
            let tokens = email_token::Entity::delete_many().filter(email_token::COLUMN.user_id.eq(user.id));
            let tokens = tokens.filter(email_token::COLUMN.purpose.is_in(ended));
            tokens.exec(&transaction).await.map_err(map_error)?;
            revoke_sessions(&transaction, session::COLUMN.user_id.eq(user.id), now).await?;
            if !keep_keys {
                api_keys::revoke_all(&transaction, user.id, now).await?;
            }
            let mail = NewMail::notice(MailKind::PasswordChanged, &user, now);
            self.outbox.queue_notice(&transaction, mail).await?;
            Ok(user.into())
        })
    }

    /// Activates or deactivates a user, who is given by id, e-mail address or username. Deactivating revokes
    /// all sessions, and suspends the API keys.
    ///
    /// Errors: NotFound when there is no such user.
    pub async fn set_active(&self, login: &str, active: bool) -> Result<User> {
        let user = self.find(login).await?;
        let now = self.clock.now();
        if !active {
            trim_sessions(&self.database, user.id, None, now).await?;
        }
        in_transaction!(self.database, |transaction| {
            let user = self.update(&transaction, user.id, user::Column::IsActive, Expr::val(active)).await?;
            if active {
                api_keys::resume_all(&transaction, user.id).await?;
            } else {
                revoke_sessions(&transaction, session::COLUMN.user_id.eq(user.id), now).await?;
                api_keys::suspend_all(&transaction, user.id, now).await?;
            }
            Ok(user.into())
        })
    }

    /// The API keys of a user, newest first.
    ///
    /// Errors: NotFound when there is no such user.
    pub async fn api_keys(&self, login: &str) -> Result<Vec<ApiKey>> {
        api_keys::list(self.database.read(), self.find(login).await?.id).await
    }

    /// Revokes all API keys of a user, and returns the number of those that had not expired.
    ///
    /// Errors: NotFound when there is no such user.
    pub async fn revoke_api_keys(&self, login: &str) -> Result<usize> {
        let user = self.find(login).await?;
        let revoked = in_transaction!(self.database, |transaction| {
            api_keys::revoke_all(&transaction, user.id, self.clock.now()).await
        })?;
        Ok(revoked.len())
    }

    /// Expires all cursors of task changes that were given out so far, and returns the number of accounts. The new
    /// positions are times in microseconds: after a second restore of the same backup, a cursor from the time
    /// between is lower too. Each statement expires the cursors of some accounts, so that changes wait only
    /// shortly for it.
    pub async fn resync(&self) -> Result<u64> {
        let (mut expired, mut last) = (0, Uuid::nil());
        loop {
            let ids = user::Entity::find().select_only().column(user::Column::Id);
            let ids = ids.filter(user::COLUMN.deleted_at.is_null()).filter(user::COLUMN.id.gt(last));
            let ids = ids.order_by_asc(user::Column::Id).limit(ACCOUNTS_PER_RESYNC).into_tuple::<Uuid>();
            let ids = ids.all(self.database.read()).await.map_err(map_error)?;
            let Some(end) = ids.last().copied() else { return Ok(expired) };
            in_transaction!(self.database, |transaction| self.expire_cursors(&transaction, last, end).await)?;
            (expired, last) = (expired + ids.len() as u64, end);
        }
    }

    /// Expires the cursors of the accounts whose ids are greater than `after` and not greater than `end`.
    async fn expire_cursors(&self, transaction: &Transaction, after: Uuid, end: Uuid) -> Result<()> {
        let backend = transaction.get_database_backend();
        let larger = if backend == DbBackend::Postgres { "greatest" } else { "max" };
        // In the order in which other statements lock the counters of several owners.
        let sql = format!(
            "INSERT INTO change_heads (owner_id, position, valid_from)
                SELECT id, $1, $1 FROM users WHERE deleted_at IS NULL AND id > $2 AND id <= $3 ORDER BY id
                ON CONFLICT (owner_id) DO UPDATE SET
                    position = {larger}(change_heads.position + 1, excluded.position),
                    valid_from = {larger}(change_heads.position + 1, excluded.position)"
        );
        let now = self.clock.now().timestamp_micros();
        let expire = Statement::from_sql_and_values(backend, sql, [now.into(), after.into(), end.into()]);
        transaction.execute_raw(expire).await.map_err(map_error).map(drop)
    }

    async fn update(
        &self,
        on: &Transaction,
        id: Uuid,
        column: user::Column,
        value: Expr,
    ) -> Result<user::Model> {
        let update = user::Entity::update_many()
            .filter(user::COLUMN.id.eq(id))
            .filter(user::COLUMN.deleted_at.is_null())
            .col_expr(column, value)
            .col_expr(user::Column::UpdatedAt, Expr::val(self.clock.now()));
        let rows = update.exec_with_returning(on).await.map_err(map_error)?;
        rows.into_iter().next().ok_or(NO_USER)
    }

    async fn find(&self, login: &str) -> Result<user::Model> {
        let login = login.trim().to_lowercase();
        if let Ok(id) = Uuid::try_parse(&login) {
            let by_id = user::Entity::find().filter(user::COLUMN.id.eq(id));
            let by_id = by_id.filter(user::COLUMN.deleted_at.is_null());
            if let Some(user) = by_id.one(self.database.read()).await.map_err(map_error)? {
                return Ok(user);
            }
        }
        // A username may also consist of 32 hexadecimal digits.
        accounts::find_by_login(&self.database, &login).await?.ok_or(NO_USER)
    }
}

/// The client network of passwords from the command line, which no other client of this process competes
/// with.
const LOCAL_NETWORK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NO_USER: Error = Error::NotFound("There is no such user.");
