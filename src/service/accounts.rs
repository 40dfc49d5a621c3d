//! Accounts, as clients that are not signed in reach them: registration, sign-in and sign-out.

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

/// How many derived usernames are tried before registration gives up.
const USERNAME_ATTEMPTS: u32 = 8;

/// Which sessions a logout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutScope {
    Current,
    Others,
    All,
}

/// Accounts, seen from outside.
pub struct Accounts {
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) passwords: Passwords,
    pub(super) sessions: Arc<Sessions>,
    pub(super) throttle: Arc<LoginThrottle>,
    pub(super) addresses: IpRateLimiter,
    pub(super) registration_open: bool,
    /// Is notified when an account has been deleted, and its rows are to follow.
    pub(super) purge_requested: Arc<Notify>,
}

impl Accounts {
    /// Whether anybody may register.
    pub fn registration_open(&self) -> bool {
        self.registration_open
    }

    /// Makes an account and signs its user in. Fails with [`Error::Taken`] when somebody has the
    /// address or the username already.
    pub async fn register(&self, registration: Registration, client: &ClientInfo) -> Result<SignedIn> {
        if !self.registration_open {
            return Err(Error::Forbidden("Registration is closed."));
        }
        // The same work whether or not the address is taken.
        let hash = self.passwords.hash(&registration.password, client.network()).await?;
        let now = self.clock.now();
        let opened = in_transaction!(self.database, |transaction| {
            let user = insert(&transaction, &registration, &hash, now).await?;
            self.sessions.open(&transaction, &user, client).await
        })?;
        Ok(self.sessions.finish_opening(opened))
    }

    /// Signs in by e-mail address or username. Whatever is wrong, the answer and the work are the same.
    pub async fn login(&self, login: &str, password: &SecretString, client: &ClientInfo) -> Result<SignedIn> {
        let login = login.to_lowercase();
        loop {
            // First of all: a request that is refused here costs the database nothing.
            let verification = self.passwords.reserve(client.network()).await?;
            // An account is counted by its id, so that its names share one count. A client that has used up
            // a name that nobody has can tell when somebody takes it; registering tells that as well.
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

    /// Opens a session of a user whose password was verified. None when the account has changed since then: if
    /// the password was changed, the old one must not open a session.
    async fn open(&self, user: &user::Model, client: &ClientInfo) -> Result<Option<SignedIn>> {
        let opened = in_transaction!(self.database, |transaction| {
            let unchanged = user::Entity::find()
                .filter(user::COLUMN.id.eq(user.id))
                .filter(user::COLUMN.is_active.eq(true))
                .filter(user::COLUMN.password_hash.eq(user.password_hash.as_str()))
                // Sign-ins of one account come one after the other, so that each counts the sessions of the
                // others. New tasks, which only refer to the account, do not wait.
                .lock(LockType::NoKeyUpdate)
                .one(&transaction)
                .await
                .map_err(map_error)?;
            let Some(unchanged) = unchanged else { return Ok(None) };
            self.sessions.open(&transaction, &unchanged.into(), client).await.map(Some)
        })?;
        Ok(opened.map(|opened| self.sessions.finish_opening(opened)))
    }

    /// Brings a hash to the present parameters, now that its password is known.
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
            // The old hash goes on to work.
            tracing::debug!(%error, user_id = %user.id, "a password could not be hashed anew");
        }
    }

    /// Counts one attempt of a client's to sign in, or refuses it.
    pub fn check_address(&self, client: &ClientInfo) -> Result<()> {
        self.addresses.check(client)
    }

    /// Ends sessions. The current one also with a token that has expired meanwhile.
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
        // The session of an expired token may have expired as well, and its row may be gone.
        if revoked == 0 && scope == LogoutScope::Current && !has_expired {
            Err(Error::Unauthenticated("Invalid token"))
        } else {
            Ok(())
        }
    }
}

/// The account of somebody who gives an e-mail address or a username, in lower case.
pub(super) async fn find_by_login(database: &Database, login: &str) -> Result<Option<user::Model>> {
    let column = if login.contains('@') { user::Column::EmailKey } else { user::Column::Username };
    let found = user::Entity::find().filter(column.eq(login)).filter(user::COLUMN.deleted_at.is_null());
    found.one(database.read()).await.map_err(map_error)
}

/// Inserts an account with a hashed password.
pub(super) async fn insert(
    on: &Transaction,
    registration: &Registration,
    hash: &str,
    now: Instant,
) -> Result<User> {
    let new = NewUser { email: &registration.email, name: &registration.name, hash };
    new.insert(on, registration.username.as_ref(), now).await
}

/// A user about to be inserted.
#[derive(Clone, Copy)]
struct NewUser<'a> {
    email: &'a Email,
    name: &'a DisplayName,
    hash: &'a str,
}

impl NewUser<'_> {
    /// Inserts the user under the username wanted, or else under the first derived one that is free.
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
        // Whatever it collides with: an error would end the transaction on PostgreSQL.
        let insert = user::Entity::insert(row.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(transaction);
        let inserted = insert.await.map_err(map_error)?;
        Ok((inserted == 1).then(|| row.into()))
    }

    /// The faults of an insert that found something taken; a derived username does not count.
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
