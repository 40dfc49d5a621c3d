//! The door: what may be asked for without being signed in, and how a token becomes a viewer.

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use secrecy::SecretString;
use uuid::Uuid;

use crate::domain::{
    Clock, DisplayName, Email, Error, Faults, Instant, Problem, Registration, Result, Rule, User, Username,
    new_id,
};
use crate::identity::{Claims, Credential, Issued, Passwords, Refusal, Tokens, Viewer};
use crate::service::database::{Database, Tries, meaning};
use crate::service::entity::{session, user};

/// How many derived usernames are tried before registration gives up.
const USERNAME_TRIES: u32 = 8;

const NOT_SIGNED_IN: Error = Error::Unauthenticated("Authentication required");
const EXPIRED: Error = Error::Unauthenticated("Token has expired");
const INVALID: Error = Error::Unauthenticated("Invalid token");

/// What the operator decides about accounts.
#[derive(Clone, Debug)]
pub struct Rules {
    pub registration_open: bool,
    /// How long a session lasts at most.
    pub session_lifetime: TimeDelta,
}

/// A fresh sign-in.
#[derive(Debug)]
pub struct SignedIn {
    pub access_token: String,
    pub expires_at: Instant,
    pub user: User,
    pub viewer: Viewer,
}

/// Which sessions a logout ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutScope {
    Current,
    Others,
    All,
}

/// Accounts, seen from outside.
pub struct Accounts {
    database: Database,
    clock: Clock,
    passwords: Passwords,
    tokens: Tokens,
    rules: Rules,
}

impl Accounts {
    pub(super) fn new(
        database: Database,
        clock: Clock,
        passwords: Passwords,
        tokens: Tokens,
        rules: Rules,
    ) -> Self {
        Self { database, clock, passwords, tokens, rules }
    }

    /// Whether anybody may register.
    pub fn registration_open(&self) -> bool {
        self.rules.registration_open
    }

    /// Makes an account and signs its user in. Fails with [`Error::Taken`] when somebody has the
    /// address or the username already.
    pub async fn register(&self, registration: Registration) -> Result<SignedIn> {
        if !self.rules.registration_open {
            return Err(Error::Forbidden("Registration is closed."));
        }
        let hash = self.passwords.hash(&registration.password).await?;
        let fresh = NewUser { email: &registration.email, name: &registration.name, hash: &hash };
        let wanted = registration.username.as_ref();
        let now = self.clock.now();
        let mut tries = Tries::default();
        loop {
            let transaction = self.database.begin().await?;
            let done = async {
                let user = fresh.insert(&transaction, wanted, now).await?;
                let session = self.open_session(&transaction, user.id, now).await?;
                Ok(self.signed_in(user, session, now))
            };
            let done = done.await;
            if let Some(outcome) = tries.finish(transaction, done).await {
                return outcome;
            }
        }
    }

    /// Signs in by e-mail address or username. Whatever is wrong, the answer and the work are the same.
    pub async fn login(&self, who: &str, password: &SecretString) -> Result<SignedIn> {
        let user = self.find_by_login(who).await?;
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let fits = self.passwords.verify(password, hash).await?;
        let wrong = Error::InvalidCredentials("Invalid email or password");
        let user: User = user.filter(|user| fits && user.is_active).ok_or(wrong)?.into();

        let now = self.clock.now();
        let mut tries = Tries::default();
        loop {
            let transaction = self.database.begin().await?;
            let session = self.open_session(&transaction, user.id, now).await;
            if let Some(outcome) = tries.finish(transaction, session).await {
                return outcome.map(|session| self.signed_in(user, session, now));
            }
        }
    }

    /// The viewer that a credential belongs to, if its token is genuine and its session alive.
    pub async fn admit(&self, credential: &Credential) -> Result<Viewer> {
        let claims = self.claims(credential)?.map_err(|_| EXPIRED)?;
        let alive = session::Entity::find()
            .inner_join(user::Entity)
            .filter(session::COLUMN.id.eq(claims.session_id()))
            .filter(session::COLUMN.user_id.eq(claims.user_id()))
            .filter(session::COLUMN.expires_at.gt(self.clock.now()))
            .filter(user::COLUMN.is_active.eq(true))
            .count(self.database.read())
            .await
            .map_err(meaning)?;
        if alive == 1 { Ok(Viewer::admit(&claims)) } else { Err(INVALID) }
    }

    /// Ends sessions. The current one also with a token that has expired meanwhile.
    pub async fn logout(&self, credential: &Credential, scope: LogoutScope) -> Result<()> {
        let claims = match scope {
            LogoutScope::Current => self.claims(credential)?.unwrap_or_else(|expired| expired),
            LogoutScope::Others | LogoutScope::All => {
                self.admit(credential).await?;
                self.claims(credential)?.map_err(|_| EXPIRED)?
            }
        };
        let (user, current) = (claims.user_id(), claims.session_id());
        let of_user = session::Entity::delete_many().filter(session::COLUMN.user_id.eq(user));
        let ending = match scope {
            LogoutScope::Current => of_user.filter(session::COLUMN.id.eq(current)),
            LogoutScope::Others => of_user.filter(session::COLUMN.id.ne(current)),
            LogoutScope::All => of_user,
        };
        let ended = ending.exec(self.database.write()).await.map_err(meaning)?.rows_affected;
        if ended == 0 && scope == LogoutScope::Current { Err(INVALID) } else { Ok(()) }
    }

    /// The claims of a genuine token: Ok while it is good, Err once it has expired.
    fn claims(&self, credential: &Credential) -> Result<Result<Claims, Claims>> {
        let Credential::Bearer(token) = credential else { return Err(NOT_SIGNED_IN) };
        match self.tokens.verify(secrecy::ExposeSecret::expose_secret(token), self.clock.now()) {
            Ok(claims) => Ok(Ok(claims)),
            Err(Refusal::Expired(claims)) => Ok(Err(claims)),
            Err(Refusal::Invalid) => Err(INVALID),
        }
    }

    async fn find_by_login(&self, who: &str) -> Result<Option<user::Model>> {
        let key = who.to_lowercase();
        let column = if key.contains('@') { user::Column::EmailKey } else { user::Column::Username };
        user::Entity::find().filter(column.eq(key)).one(self.database.read()).await.map_err(meaning)
    }

    /// Opens a session and clears away those of the user that have run out.
    async fn open_session(
        &self,
        transaction: &DatabaseTransaction,
        user: Uuid,
        now: Instant,
    ) -> Result<session::Model> {
        session::Entity::delete_many()
            .filter(session::COLUMN.user_id.eq(user))
            .filter(session::COLUMN.expires_at.lte(now))
            .exec(transaction)
            .await
            .map_err(meaning)?;
        let session = session::ActiveModel {
            id: Set(new_id()),
            user_id: Set(user),
            created_at: Set(now),
            expires_at: Set(now + self.rules.session_lifetime),
        };
        session::Entity::insert(session).exec_with_returning(transaction).await.map_err(meaning)
    }

    fn signed_in(&self, user: User, session: session::Model, now: Instant) -> SignedIn {
        let Issued { token, claims, expires_at } =
            self.tokens.issue(&user, session.id, session.expires_at, now);
        SignedIn { access_token: token, expires_at, viewer: Viewer::admit(&claims), user }
    }
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
        transaction: &DatabaseTransaction,
        wanted: Option<&Username>,
        now: Instant,
    ) -> Result<User> {
        for attempt in 0..USERNAME_TRIES {
            let username = match wanted {
                Some(wanted) => wanted.clone(),
                None => Username::derive(self.email, (attempt > 0).then(|| Uuid::new_v4().as_fields().0)),
            };
            if let Some(user) = self.try_insert(transaction, &username, now).await? {
                return Ok(user);
            }
            let taken = self.what_is_taken(transaction, &username, wanted.is_some()).await?;
            if !taken.is_empty() {
                return Err(Error::Taken(taken));
            }
        }
        Err(Error::internal(anyhow::anyhow!("no free username was found")))
    }

    async fn try_insert(
        self,
        transaction: &DatabaseTransaction,
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
        };
        // Whatever it collides with: an error would end the transaction on PostgreSQL.
        let insert = user::Entity::insert(row.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(transaction);
        let inserted = insert.await.map_err(meaning)?;
        Ok((inserted == 1).then(|| row.into()))
    }

    /// The faults of an insert that found something taken; a derived username does not count.
    async fn what_is_taken(
        self,
        transaction: &DatabaseTransaction,
        username: &Username,
        chosen: bool,
    ) -> Result<Vec<crate::domain::FieldFault>> {
        let count = |column: user::Column, value: String| {
            user::Entity::find().filter(column.eq(value)).count(transaction)
        };
        let mut faults = Faults::of("input");
        let taken = || Problem::new(Rule::Taken, "is taken");
        if count(user::Column::EmailKey, self.email.key()).await.map_err(meaning)? > 0 {
            faults.push("email", taken());
        }
        let username = username.as_str().to_owned();
        if chosen && count(user::Column::Username, username).await.map_err(meaning)? > 0 {
            faults.push("username", taken());
        }
        Ok(faults.into_found())
    }
}
