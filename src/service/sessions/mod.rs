//! Sessions: how they are opened, refreshed and revoked, and how the token of a session or an API key becomes a
//! viewer.

mod api_key;
mod cache;
mod cleanup;
mod key_cache;
pub(super) mod limit;
mod pending_uses;
mod refresh;
mod revocations;
mod revoke;
mod revoke_rows;
mod streamed;
mod streams;
mod uses;

pub(super) use revoke_rows::{record_revocations, revoke_sessions};
pub use streams::{SessionEnd, StreamSession};

use std::net::IpAddr;

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::auth::{
    AdmittedBy, Claims, ClientInfo, Credential, RefreshToken, TokenError, TokenPair, Tokens, Viewer,
};
use crate::db::entity::{session, user};
use crate::db::{Database, Transaction, map_error};
use crate::domain::{Clock, Error, Instant, Result, Session, User, new_id};
use crate::service::sessions::cache::SessionCache;
use crate::service::sessions::key_cache::KeyCache;
use crate::service::sessions::limit::{MAX_SESSIONS, revoke_oldest, trim_sessions};
use crate::service::sessions::pending_uses::PendingUses;
use crate::service::sessions::streamed::StreamedSessions;

const NOT_SIGNED_IN: Error = Error::Unauthenticated("Authentication required");
const EXPIRED: &str = "Token has expired";
/// The token was valid until it expired.
const TOKEN_EXPIRED: Error = Error::Unauthenticated(EXPIRED);
const INVALID_TOKEN: Error = Error::Unauthenticated("Invalid token");

/// Whether an error means that the token was valid until it expired.
pub fn token_has_expired(error: &Error) -> bool {
    matches!(error, Error::Unauthenticated(EXPIRED))
}

/// The claims of a token with a valid signature.
pub enum TokenState {
    Valid(Claims),
    Expired(Claims),
}

/// The tokens of a session that was opened or refreshed.
#[derive(Debug)]
pub struct SignedIn {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_at: Instant,
    pub user: User,
    pub viewer: Viewer,
}

/// A session that was opened in a transaction. [`Sessions::finish_opening`] must be called after the commit.
#[must_use]
pub struct OpenedSession {
    signed_in: SignedIn,
    /// The sessions that were revoked because of the limit.
    revoked: Vec<Uuid>,
}

/// The sessions of all users.
pub struct Sessions {
    pub(super) database: Database,
    pub(super) clock: Clock,
    tokens: Tokens,
    lifetime: TimeDelta,
    pub(super) cache: SessionCache,
    pub(super) keys: KeyCache,
    pub(super) uses: PendingUses<()>,
    /// The uses of API keys, with the addresses of their clients.
    pub(super) key_uses: PendingUses<IpAddr>,
    streamed: StreamedSessions,
}

impl Sessions {
    pub fn new(database: Database, clock: Clock, tokens: Tokens, lifetime: TimeDelta) -> Self {
        Self {
            database,
            clock,
            tokens,
            lifetime,
            cache: SessionCache::default(),
            keys: KeyCache::default(),
            uses: PendingUses::default(),
            key_uses: PendingUses::default(),
            streamed: StreamedSessions::default(),
        }
    }

    /// Opens a session and revokes the user's least recently used sessions beyond the limit. The caller must
    /// have locked the user, so that no other session of the user is opened until the transaction ends.
    pub async fn open(&self, on: &Transaction, user: &User, client: &ClientInfo) -> Result<OpenedSession> {
        let now = self.clock.now();
        let revoked = revoke_oldest(on, user.id, now).await?;
        let session = session::ActiveModel {
            id: Set(new_id()),
            user_id: Set(user.id),
            user_agent: Set(client.user_agent.clone()),
            ip_address: Set(Some(client.address.to_canonical().to_string())),
            created_at: Set(now),
            last_used_at: Set(now),
            expires_at: Set(now + self.lifetime),
            refreshes: Set(0),
            refreshed_at: Set(now),
        };
        let session = session::Entity::insert(session).exec_with_returning(on).await.map_err(map_error)?;
        Ok(OpenedSession { signed_in: self.signed_in(user.clone(), &session), revoked })
    }

    /// Records the revocations of a committed [`Sessions::open`] and returns the tokens.
    pub fn finish_opening(&self, opened: OpenedSession) -> SignedIn {
        self.mark_revoked(&opened.revoked);
        opened.signed_in
    }

    /// Revokes the excess sessions of a user from before the limit was introduced, except for the current
    /// session.
    pub async fn trim(&self, user: Uuid, current: Uuid) -> Result<()> {
        let revoked = trim_sessions(&self.database, user, Some(current), self.clock.now()).await?;
        self.mark_revoked(&revoked);
        Ok(())
    }

    /// Authenticates a credential.
    ///
    /// Errors: Unauthenticated when the token is missing, invalid or expired, or its session or API key is not
    /// active.
    pub async fn authenticate(&self, credential: &Credential, client: &ClientInfo) -> Result<Viewer> {
        self.admit(credential, client).await.map(|(viewer, _)| viewer)
    }

    /// As [`Self::authenticate`], and returns when the token expires.
    async fn admit(&self, credential: &Credential, client: &ClientInfo) -> Result<(Viewer, Instant)> {
        if let Credential::Bearer(token) = credential
            && credential.is_api_key()
        {
            return self.admit_key(token.expose_secret(), client).await;
        }
        let TokenState::Valid(claims) = self.verify(credential)? else { return Err(TOKEN_EXPIRED) };
        let (session, user) = (claims.session_id(), claims.user_id());
        if !self.cache.is_active(session, user) {
            // Boxed to keep this future small: it is rarely needed and large.
            Box::pin(self.load_session(session, user)).await?;
        }
        Ok((Viewer::authenticated(&claims), claims.expires_at()))
    }

    /// Checks in the database that a session is active, and has its use recorded in the background.
    async fn load_session(&self, session: Uuid, user: Uuid) -> Result<()> {
        let last_used_at = self.last_use(session, user).await?.ok_or(INVALID_TOKEN)?;
        if !self.cache.mark_active(session, user) {
            return Err(INVALID_TOKEN);
        }
        self.uses.add(session, (), Some(last_used_at), self.clock.now());
        Ok(())
    }

    /// Checks that the session or the API key of an authenticated viewer has not been revoked since.
    ///
    /// Errors: Unauthenticated when it has.
    pub async fn check(&self, viewer: &Viewer) -> Result<()> {
        if !self.cache.is_revoked(viewer.credential_id()) {
            return Ok(());
        }
        match viewer.admitted_by() {
            // The keys of an inactive user become active again with their user, sessions do not.
            AdmittedBy::ApiKey { id, .. } if Box::pin(self.is_active_key(id)).await? => Ok(()),
            _ => Err(INVALID_TOKEN),
        }
    }

    /// The time of the last use of an active session; None when it is not active.
    async fn last_use(&self, session: Uuid, user: Uuid) -> Result<Option<Instant>> {
        let found = session::Entity::find()
            .inner_join(user::Entity)
            .filter(session::COLUMN.id.eq(session))
            .filter(session::COLUMN.user_id.eq(user))
            .filter(session::COLUMN.expires_at.gt(self.clock.now()))
            .filter(user::COLUMN.is_active.eq(true))
            .one(self.database.read())
            .await;
        Ok(found.map_err(map_error)?.map(|session| session.last_used_at))
    }

    /// The user of a credential that has not expired. A session may have been revoked.
    pub async fn user_of(&self, credential: &Credential, client: &ClientInfo) -> Option<Uuid> {
        if credential.is_api_key() {
            return self.authenticate(credential, client).await.ok().map(|viewer| viewer.user_id());
        }
        match self.verify(credential).ok()? {
            TokenState::Valid(claims) => Some(claims.user_id()),
            TokenState::Expired(_) => None,
        }
    }

    /// Verifies the signature of a credential's token.
    ///
    /// Errors: Unauthenticated when the token is missing or invalid. An expired token is no error.
    pub fn verify(&self, credential: &Credential) -> Result<TokenState> {
        let Credential::Bearer(token) = credential else { return Err(NOT_SIGNED_IN) };
        match self.tokens.verify(token.expose_secret(), self.clock.now()) {
            Ok(claims) => Ok(TokenState::Valid(claims)),
            Err(TokenError::Expired(claims)) => Ok(TokenState::Expired(claims)),
            Err(TokenError::Invalid) => Err(INVALID_TOKEN),
        }
    }

    /// The tokens of a session. The same session with the same refresh count gives the same tokens.
    pub fn signed_in(&self, user: User, session: &session::Model) -> SignedIn {
        let refresh = RefreshToken { session_id: session.id, count: session.refreshes };
        let issued = self.tokens.issue(&user, refresh, session.expires_at, session.refreshed_at);
        let TokenPair { access_token, refresh_token, claims, expires_at } = issued;
        SignedIn { access_token, refresh_token, expires_at, viewer: Viewer::authenticated(&claims), user }
    }

    /// The viewer's active sessions, most recently used first.
    pub async fn list(&self, viewer: &Viewer) -> Result<Vec<Session>> {
        let rows = session::Entity::find()
            .filter(session::COLUMN.user_id.eq(viewer.user_id()))
            .filter(session::COLUMN.expires_at.gt(self.clock.now()))
            .order_by_desc(session::Column::LastUsedAt)
            .order_by_desc(session::Column::Id)
            .limit(MAX_SESSIONS)
            .all(&self.database.read_for(viewer.user_id()))
            .await
            .map_err(map_error)?;
        Ok(rows.into_iter().map(|row| to_domain(row, viewer)).collect())
    }
}

fn to_domain(row: session::Model, viewer: &Viewer) -> Session {
    Session {
        id: row.id,
        current: Some(row.id) == viewer.session_id(),
        user_agent: row.user_agent,
        ip_address: row.ip_address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
    }
}
