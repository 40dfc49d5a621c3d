//! Operations on accounts that do not require a signed-in user: registration, login and logout.

use std::sync::Arc;

use sea_orm::sea_query::{ExprTrait, LockType, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect};
use secrecy::SecretString;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::auth::{ClientInfo, Credential, IpRateLimiter, Passwords};
use crate::db::entity::{session, user};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{
    Clock, DisplayName, Email, Error, Faults, Instant, Problem, Registration, Result, Rule, User, Username,
    new_id,
};
use crate::service::login_throttle::{LoginThrottle, ThrottledAccount};
use crate::service::sessions::{Sessions, SignedIn};

/// The maximum number of derived usernames that registration tries.
const USERNAME_ATTEMPTS: u32 = 8;

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
    pub(super) registration_open: bool,
    /// Notified when an account was marked as deleted, so that its rows are deleted.
    pub(super) purge_requested: Arc<Notify>,
}

impl Accounts {
    /// Whether clients may register.
    pub fn registration_open(&self) -> bool {
        self.registration_open
    }

    /// Creates an account and opens a session.
    ///
    /// Errors: Forbidden when registration is closed; AlreadyExists when the e-mail address or the username
    /// is taken.
    pub async fn register(&self, registration: Registration, client: &ClientInfo) -> Result<SignedIn> {
        if !self.registration_open {
            return Err(Error::Forbidden("Registration is closed."));
        }
        // The password is hashed before the address is looked up, so that the response time does not reveal
        // whether the address is taken.
        let hash = self.passwords.hash(&registration.password, client.network()).await?;
        let now = self.clock.now();
        let opened = in_transaction!(self.database, |transaction| {
            let user = insert(&transaction, &registration, &hash, now).await?;
            self.sessions.open(&transaction, &user, client).await
        })?;
        Ok(self.sessions.finish_opening(opened))
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
    /// scopes than the current session also when the token has expired.
    pub async fn logout(&self, credential: &Credential, scope: LogoutScope) -> Result<()> {
        if scope != LogoutScope::Current {
            self.sessions.authenticate(credential).await?;
        }
        let (claims, has_expired) = match self.sessions.claims(credential)? {
            Ok(claims) => (claims, false),
            Err(claims) => (claims, true),
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

/// Inserts an account.
///
/// Errors: AlreadyExists when the e-mail address or the username is taken.
pub(super) async fn insert(
    on: &Transaction,
    registration: &Registration,
    hash: &str,
    now: Instant,
) -> Result<User> {
    let new = NewUser { email: &registration.email, name: &registration.name, hash };
    new.insert(on, registration.username.as_ref(), now).await
}

/// The columns of a new account that do not depend on its username.
#[derive(Clone, Copy)]
struct NewUser<'a> {
    email: &'a Email,
    name: &'a DisplayName,
    hash: &'a str,
}

impl NewUser<'_> {
    /// Inserts the account with the requested username, or with the first derived username that is free.
    async fn insert(
        self,
        transaction: &Transaction,
        requested: Option<&Username>,
        now: Instant,
    ) -> Result<User> {
        for attempt in 0..USERNAME_ATTEMPTS {
            let username = match requested {
                Some(requested) => requested.clone(),
                None => Username::derive(self.email, (attempt > 0).then(|| Uuid::new_v4().as_fields().0)),
            };
            if let Some(user) = self.try_insert(transaction, &username, now).await? {
                return Ok(user);
            }
            let taken = self.taken_fields(transaction, &username, requested.is_some()).await?;
            if !taken.is_empty() {
                return Err(Error::AlreadyExists(taken));
            }
        }
        Err(Error::internal(anyhow::anyhow!("no free username was found")))
    }

    async fn try_insert(
        self,
        transaction: &Transaction,
        username: &Username,
        now: Instant,
    ) -> Result<Option<User>> {
        let row = user::Model {
            id: new_id(),
            email: self.email.as_str().to_owned(),
            email_key: self.email.key(),
            username: username.as_str().to_owned(),
            name: self.name.as_str().to_owned(),
            password_hash: self.hash.to_owned(),
            is_active: true,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        // ON CONFLICT covers every unique constraint, because an error would abort the transaction on
        // PostgreSQL.
        let insert = user::Entity::insert(row.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(transaction);
        let inserted = insert.await.map_err(map_error)?;
        Ok((inserted == 1).then(|| row.into()))
    }

    /// The faults of an insert that collided with existing values. A collision of a derived username is no
    /// fault.
    async fn taken_fields(
        self,
        transaction: &Transaction,
        username: &Username,
        is_chosen: bool,
    ) -> Result<Vec<crate::domain::FieldFault>> {
        let count = |column: user::Column, value: String| {
            user::Entity::find().filter(column.eq(value)).count(transaction)
        };
        let mut faults = Faults::of("input");
        let taken = || Problem::new(Rule::Taken, "is taken");
        if count(user::Column::EmailKey, self.email.key()).await.map_err(map_error)? > 0 {
            faults.push("email", taken());
        }
        let username = username.as_str().to_owned();
        if is_chosen && count(user::Column::Username, username).await.map_err(map_error)? > 0 {
            faults.push("username", taken());
        }
        Ok(faults.into_found())
    }
}
