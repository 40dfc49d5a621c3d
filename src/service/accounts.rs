//! Operations on accounts that do not require a signed-in user: registration, login and logout.

use std::sync::Arc;

use chrono::TimeDelta;
use sea_orm::sea_query::{ExprTrait, LockType};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use secrecy::SecretString;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::auth::{ClientInfo, Credential, IpRateLimiter, Passwords};
use crate::db::entity::{session, user};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{
    Clock, Error, KeyExpiry, MailKind, Registration, Result, TokenLifetimes, TokenPurpose, User,
};
use crate::service::email_tokens::{EmailTokens, NewToken};
use crate::service::login_throttle::{LoginThrottle, ThrottledAccount};
use crate::service::mail_queue::{NewMail, Outbox};
use crate::service::registration;
use crate::service::sessions::{Sessions, SignedIn, TokenState};

/// Settings for accounts and sessions.
#[derive(Clone, Debug)]
pub struct AccountRules {
    /// Whether clients may register.
    pub registration_open: bool,
    /// The maximum lifetime of a session.
    pub session_lifetime: TimeDelta,
    /// The maximum number of failed logins of one account from one network in 15 minutes; 0 means no limit.
    pub login_failures: i32,
    /// The maximum number of credential operations of one address per minute; 0 means no limit.
    pub credentials_per_minute: u32,
    /// The maximum number of mails with a link of one kind to one address in an hour; 0 means no limit.
    pub mails_per_hour: i32,
    /// The maximum number of requests for a new password from one network in an hour; 0 means no limit.
    pub reset_requests_per_hour: i32,
    pub token_lifetimes: TokenLifetimes,
    /// The maximum lifetime of an API key.
    pub api_key_lifetime: TimeDelta,
    /// Whether users must verify their address before they change tasks or create API keys.
    pub verified_email_required: bool,
}

/// The sessions that a logout revokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutScope {
    Current,
    Others,
    All,
}

/// Account operations for clients that are not signed in.
pub struct Accounts {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) passwords: Passwords,
    pub(super) sessions: Arc<Sessions>,
    pub(super) throttle: Arc<LoginThrottle>,
    pub(super) addresses: IpRateLimiter,
    pub(super) rules: AccountRules,
    pub(super) outbox: Outbox,
    pub(super) email_tokens: Arc<EmailTokens>,
    /// Notified when a request for a new password was committed.
    pub(super) reset_requested: Arc<Notify>,
    /// Notified when an account was marked as deleted, so that its rows are deleted.
    pub(super) purge_requested: Arc<Notify>,
}

impl Accounts {
    /// Whether clients may register.
    pub fn registration_open(&self) -> bool {
        self.rules.registration_open
    }

    /// Whether users must verify their address before they change tasks or create API keys.
    pub fn verified_email_required(&self) -> bool {
        self.rules.verified_email_required
    }

    /// When an API key that is created now may expire.
    pub fn api_key_expiry(&self) -> KeyExpiry {
        KeyExpiry { now: self.clock.now(), longest: self.rules.api_key_lifetime }
    }

    /// Creates an account and opens a session.
    ///
    /// Errors: Forbidden when registration is closed; AlreadyExists when the e-mail address or the username
    /// is taken.
    pub async fn register(&self, registration: Registration, client: &ClientInfo) -> Result<SignedIn> {
        if !self.rules.registration_open {
            return Err(Error::Forbidden("Registration is closed."));
        }
        // The password is hashed before the address is looked up, so that the response time does not reveal
        // whether the address is taken.
        let hash = self.passwords.hash(&registration.password, client.network()).await?;
        let now = self.clock.now();
        let opened = in_transaction!(self.database, |transaction| {
            let user = registration::insert(&transaction, &registration, &hash, now).await?;
            self.queue_first_verification(&transaction, &user, client).await?;
            self.sessions.open(&transaction, &user, client).await
        })?;
        self.outbox.notify();
        Ok(self.sessions.finish_opening(opened))
    }

    /// Queues the mail that verifies the address of a new account. It is left out when a limit is reached.
    async fn queue_first_verification(
        &self,
        on: &Transaction,
        user: &User,
        client: &ClientInfo,
    ) -> Result<()> {
        let counted = self.outbox.count_link(on, MailKind::VerifyEmail, &user.email.to_lowercase()).await;
        match self.outbox.admits(on, counted).await? {
            true => self.queue_verification(on, user.id, &user.email, client).await,
            false => Ok(()),
        }
    }

    /// Queues a mail with a link that verifies the address of an account.
    pub(super) async fn queue_verification(
        &self,
        on: &Transaction,
        user_id: Uuid,
        email: &str,
        client: &ClientInfo,
    ) -> Result<()> {
        let kind = MailKind::VerifyEmail;
        let token = NewToken {
            user_id,
            purpose: TokenPurpose::Verify,
            email,
            usable: true,
            delivered_within: Some(kind.gives_up_after()),
        };
        let mail = NewMail {
            kind,
            user_id: Some(user_id),
            recipient: email,
            token_id: Some(self.email_tokens.create(on, token).await?),
            event_at: self.clock.now(),
            ip_address: Some(client.address),
            key_start: None,
        };
        self.outbox.queue(on, mail).await
    }

    /// Opens a session with an e-mail address or a username. Unknown names, inactive accounts and wrong
    /// passwords get the same error after the same amount of work.
    ///
    /// Errors: InvalidCredentials as described; RateLimited after too many failures.
    pub async fn login(&self, login: &str, password: &SecretString, client: &ClientInfo) -> Result<SignedIn> {
        let login = login.to_lowercase();
        loop {
            // A request that is rejected here has not used the database.
            let verification = self.passwords.reserve(client.network()).await?;
            // Failures are counted by account id, so that all names of an account share one count. When a
            // name without an account has reached its limit and is then registered, a client can notice that;
            // registration reveals the same.
            let user = find_by_login(&self.database, &login).await?;
            let account = user
                .as_ref()
                .map_or(ThrottledAccount::Unknown(&login), |user| ThrottledAccount::Known(user.id));
            let attempt = self.throttle.begin(account, client).await?;
            let hash = user.as_ref().map(|user| user.password_hash.as_str());
            let is_correct = verification.verify(password, hash).await?;
            let user = user.filter(|user| is_correct && user.is_active);
            attempt.finish(user.is_some()).await?;
            let user = user.ok_or(Error::InvalidCredentials("Invalid email or password"))?;
            if let Some(signed_in) = self.open(&user, client).await? {
                self.rehash(&user, password, client).await;
                return Ok(signed_in);
            }
        }
    }

    /// Opens a session for a user whose password was verified. Returns None when the account has changed
    /// since then, because an old password must not open a session.
    async fn open(&self, user: &user::Model, client: &ClientInfo) -> Result<Option<SignedIn>> {
        let opened = in_transaction!(self.database, |transaction| {
            let unchanged = user::Entity::find()
                .filter(user::COLUMN.id.eq(user.id))
                .filter(user::COLUMN.is_active.eq(true))
                .filter(user::COLUMN.password_hash.eq(user.password_hash.as_str()))
                // Logins of one account run one after the other, so that each one counts the sessions of the
                // others. Inserting tasks, which only references the account, is not blocked.
                .lock(LockType::NoKeyUpdate)
                .one(&transaction)
                .await
                .map_err(map_error)?;
            let Some(unchanged) = unchanged else { return Ok(None) };
            self.sessions.open(&transaction, &unchanged.into(), client).await.map(Some)
        })?;
        Ok(opened.map(|opened| self.sessions.finish_opening(opened)))
    }

    /// Replaces a hash that has outdated parameters. This is only possible now, because the password is
    /// known.
    async fn rehash(&self, user: &user::Model, password: &SecretString, client: &ClientInfo) {
        if Passwords::is_current(&user.password_hash) {
            return;
        }
        let rehashed = async {
            let hash = self.passwords.rehash(password, client.network()).await?;
            let update = user::Entity::update_many()
                .filter(user::COLUMN.id.eq(user.id))
                .filter(user::COLUMN.password_hash.eq(user.password_hash.as_str()))
                .col_expr(user::Column::PasswordHash, sea_orm::sea_query::Expr::val(hash));
            update.exec(self.database.write()).await.map_err(map_error)
        };
        if let Err(error) = rehashed.await {
            // The old hash still works.
            tracing::debug!(%error, user_id = %user.id, "a password could not be rehashed");
        }
    }

    /// Counts one sign-in attempt of a client's network.
    ///
    /// Errors: RateLimited when the network has used up its attempts.
    pub fn check_address(&self, client: &ClientInfo) -> Result<()> {
        self.addresses.check(client)
    }

    /// Revokes sessions. An expired access token can still revoke its own session.
    ///
    /// Errors: Unauthenticated when the token is invalid or its session was revoked already, and for other
    /// scopes than the current session also when the token has expired; MissingRight with an API key.
    pub async fn logout(
        &self,
        credential: &Credential,
        scope: LogoutScope,
        client: &ClientInfo,
    ) -> Result<()> {
        if scope != LogoutScope::Current || credential.is_api_key() {
            self.sessions.authenticate(credential, client).await?.require_session()?;
        }
        let (claims, has_expired) = match self.sessions.verify(credential)? {
            TokenState::Valid(claims) => (claims, false),
            TokenState::Expired(claims) => (claims, true),
        };
        let of_user = session::COLUMN.user_id.eq(claims.user_id());
        let current = claims.session_id();
        let condition = match scope {
            LogoutScope::Current => of_user.and(session::COLUMN.id.eq(current)),
            LogoutScope::Others => of_user.and(session::COLUMN.id.ne(current)),
            LogoutScope::All => of_user,
        };
        if scope != LogoutScope::Current {
            self.sessions.trim(claims.user_id(), current).await?;
        }
        let revoked = self.sessions.revoke_now(claims.user_id(), condition).await?;
        // An expired token is accepted without a session, because the session may have expired and been
        // deleted too.
        if revoked == 0 && scope == LogoutScope::Current && !has_expired {
            Err(Error::Unauthenticated("Invalid token"))
        } else {
            Ok(())
        }
    }
}

/// The account with an e-mail address or a username, given in lower case.
pub(super) async fn find_by_login(database: &Database, login: &str) -> Result<Option<user::Model>> {
    let column = if login.contains('@') { user::Column::EmailKey } else { user::Column::Username };
    let found = user::Entity::find().filter(column.eq(login)).filter(user::COLUMN.deleted_at.is_null());
    found.one(database.read()).await.map_err(map_error)
}
