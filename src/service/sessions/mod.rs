//! Sessions: how they are opened, refreshed and revoked, and how a token becomes a viewer.

mod cache;
pub(super) mod limit;
mod revocations;
mod uses;

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::auth::{Claims, ClientInfo, Credential, RefreshToken, TokenError, TokenPair, Tokens, Viewer};
use crate::db::entity::{session, session_ending, user};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{Clock, Error, Instant, Result, Session, User, new_id};
use crate::service::sessions::cache::SessionCache;
use crate::service::sessions::limit::{MAX_SESSIONS, revoke_oldest, trim_sessions};
use crate::service::sessions::uses::PendingUses;

const NOT_SIGNED_IN: Error = Error::Unauthenticated("Authentication required");
const TOKEN_EXPIRED: Error = Error::Unauthenticated("Token has expired");
const INVALID_TOKEN: Error = Error::Unauthenticated("Invalid token");
const INVALID_REFRESH_TOKEN: Error = Error::InvalidCredentials("Invalid refresh token");

/// The time during which an exchanged refresh token still returns the same new token, for clients that lost
/// the response or send the token from two tabs.
const REFRESH_GRACE_PERIOD: TimeDelta = TimeDelta::seconds(10);
/// The number of sessions that one statement revokes. Databases limit the number of parameters.
const SESSIONS_PER_REVOKE: usize = 500;

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
    pub(super) uses: PendingUses,
}

impl Sessions {
    pub fn new(database: Database, clock: Clock, tokens: Tokens, lifetime: TimeDelta) -> Self {
        Self {
            database,
            clock,
            tokens,
            lifetime,
            cache: SessionCache::default(),
            uses: PendingUses::default(),
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
    /// Errors: Unauthenticated when the token is missing, invalid or expired, or its session is not active.
    pub async fn authenticate(&self, credential: &Credential) -> Result<Viewer> {
        let claims = self.claims(credential)?.map_err(|_| TOKEN_EXPIRED)?;
        let (session, user) = (claims.session_id(), claims.user_id());
        if !self.cache.is_active(session, user) {
            // Boxed to keep this future small: it is rarely needed and large.
            Box::pin(self.load_session(session, user)).await?;
        }
        Ok(Viewer::authenticated(&claims))
    }

    /// Checks in the database that a session is active, and has its use recorded in the background.
    async fn load_session(&self, session: Uuid, user: Uuid) -> Result<()> {
        let last_used_at = self.last_use(session, user).await?.ok_or(INVALID_TOKEN)?;
        if !self.cache.mark_active(session, user) {
            return Err(INVALID_TOKEN);
        }
        self.uses.add(session, last_used_at, self.clock.now());
        Ok(())
    }

    /// Checks that the session of an authenticated viewer has not been revoked since.
    ///
    /// Errors: Unauthenticated when it has.
    pub fn check(&self, viewer: &Viewer) -> Result<()> {
        if self.cache.is_revoked(viewer.session_id()) { Err(INVALID_TOKEN) } else { Ok(()) }
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

    /// The claims of a token with a valid signature: Ok while the token is valid, Err after it has expired.
    ///
    /// Errors: Unauthenticated when the token is missing or invalid.
    pub fn claims(&self, credential: &Credential) -> Result<Result<Claims, Claims>> {
        let Credential::Bearer(token) = credential else { return Err(NOT_SIGNED_IN) };
        match self.tokens.verify(token.expose_secret(), self.clock.now()) {
            Ok(claims) => Ok(Ok(claims)),
            Err(TokenError::Expired(claims)) => Ok(Err(claims)),
            Err(TokenError::Invalid) => Err(INVALID_TOKEN),
        }
    }

    /// Exchanges a refresh token for new tokens. Within ten seconds the same token returns the same new
    /// tokens, unless these have been used. Otherwise a second use means that the token was stolen, and the
    /// session is revoked.
    ///
    /// Errors: InvalidCredentials when the token is invalid, expired or was used before, or the user is
    /// inactive.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn> {
        let refresh = self.tokens.verify_refresh(token).ok_or(INVALID_REFRESH_TOKEN)?;
        let id = refresh.session_id;
        let rotated = self.rotate(self.database.write(), id, Some(refresh.count)).await?;
        let now = self.clock.now();
        let session = match rotated {
            Some(session) => session,
            None => {
                let found = session::Entity::find().filter(session::COLUMN.id.eq(id));
                let found = found.one(self.database.write()).await.map_err(map_error)?;
                let session =
                    found.filter(|session| session.expires_at > now).ok_or(INVALID_REFRESH_TOKEN)?;
                // The absolute difference: if the clock was set back, an old token must not become valid
                // again.
                let is_recent = (now - session.refreshed_at).abs() <= REFRESH_GRACE_PERIOD;
                let is_repeated = is_recent && session.refreshes == refresh.count.wrapping_add(1);
                if !is_repeated {
                    tracing::warn!(session_id = %id, "a refresh token was used twice; its session is revoked");
                    self.revoke_now(session.user_id, session::COLUMN.id.eq(id)).await?;
                    return Err(INVALID_REFRESH_TOKEN);
                }
                session
            }
        };
        let user = user::Entity::find()
            .filter(user::COLUMN.id.eq(session.user_id))
            .filter(user::COLUMN.is_active.eq(true))
            .one(self.database.read())
            .await
            .map_err(map_error)?
            .ok_or(INVALID_REFRESH_TOKEN)?;
        Ok(self.signed_in(user.into(), &session))
    }

    /// Advances a session to its next refresh if its refresh count equals `count`. Without `count` it
    /// advances by two, so that the previous refresh token is invalid immediately instead of repeating the
    /// last exchange.
    pub async fn rotate(
        &self,
        on: &impl ConnectionTrait,
        session: Uuid,
        count: Option<i32>,
    ) -> Result<Option<session::Model>> {
        let (now, step) = (self.clock.now(), if count.is_some() { 1 } else { 2 });
        let mut update = session::Entity::update_many()
            .filter(session::COLUMN.id.eq(session))
            .filter(session::COLUMN.expires_at.gt(now))
            .col_expr(session::Column::Refreshes, session::Column::Refreshes.into_expr().add(step))
            .col_expr(session::Column::RefreshedAt, Expr::val(now))
            .col_expr(session::Column::LastUsedAt, Expr::val(now));
        if let Some(count) = count {
            update = update.filter(session::COLUMN.refreshes.eq(count));
        }
        let rows = update.exec_with_returning(on).await.map_err(map_error)?;
        Ok(rows.into_iter().next())
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

    /// Revokes one of the viewer's sessions.
    ///
    /// Errors: NotFound when there is no such session; Forbidden when it belongs to another user.
    pub async fn revoke(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let of_viewer = session::COLUMN.id.eq(id).and(session::COLUMN.user_id.eq(viewer.user_id()));
        if self.revoke_now(viewer.user_id(), of_viewer).await? > 0 {
            return Ok(());
        }
        // As with tasks, the error only reveals that the session of another user exists.
        let other = session::Entity::find()
            .filter(session::COLUMN.id.eq(id))
            .filter(session::COLUMN.expires_at.gt(self.clock.now()))
            .one(&self.database.read_for(viewer.user_id()))
            .await;
        match other.map_err(map_error)? {
            Some(_) => Err(Error::Forbidden("This session belongs to another user.")),
            None => Err(Error::NotFound("There is no such session.")),
        }
    }

    /// Revokes the sessions of a user that meet a condition, in their own transaction, and returns their
    /// number.
    pub async fn revoke_now(&self, user: Uuid, condition: SimpleExpr) -> Result<usize> {
        let revoked = in_transaction!(self.database.for_user(user), |transaction| {
            revoke_sessions(&transaction, condition.clone(), self.clock.now()).await
        })?;
        self.mark_revoked(&revoked);
        Ok(revoked.len())
    }

    /// Revokes sessions within a transaction. After the commit the caller passes the returned ids to
    /// [`Sessions::mark_revoked`].
    pub async fn revoke_where(&self, on: &Transaction, condition: SimpleExpr) -> Result<Vec<Uuid>> {
        revoke_sessions(on, condition, self.clock.now()).await
    }

    /// Rejects revoked sessions on this instance from now on.
    pub fn mark_revoked(&self, sessions: &[Uuid]) {
        self.cache.mark_revoked(sessions.iter().copied());
    }
}

fn to_domain(row: session::Model, viewer: &Viewer) -> Session {
    Session {
        id: row.id,
        current: row.id == viewer.session_id(),
        user_agent: row.user_agent,
        ip_address: row.ip_address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
    }
}

/// Deletes the active sessions that meet a condition, records the revocations for all instances, and returns
/// the ids.
pub(super) async fn revoke_sessions(
    on: &Transaction,
    condition: SimpleExpr,
    now: Instant,
) -> Result<Vec<Uuid>> {
    let revoked: Vec<Uuid> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(condition)
        .filter(session::COLUMN.expires_at.gt(now))
        // Sorted, because two transactions that lock the same rows in different orders could wait for each
        // other.
        .order_by_asc(session::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(on)
        .await
        .map_err(map_error)?;
    for batch in revoked.chunks(SESSIONS_PER_REVOKE) {
        record_revocations(on, batch.iter().copied(), now).await?;
        let delete = session::Entity::delete_many().filter(session::COLUMN.id.is_in(batch.iter().copied()));
        delete.exec(on).await.map_err(map_error)?;
    }
    Ok(revoked)
}

/// Records revocations for all instances: at most [`SESSIONS_PER_REVOKE`].
pub(super) async fn record_revocations(
    on: &Transaction,
    revoked: impl Iterator<Item = Uuid>,
    now: Instant,
) -> Result<()> {
    let row = |id| session_ending::ActiveModel { session_id: Set(id), ended_at: Set(now) };
    let rows: Vec<_> = revoked.map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let insert = session_ending::Entity::insert_many(rows);
    let insert = insert.on_conflict(OnConflict::new().do_nothing().to_owned());
    insert.exec_without_returning(on).await.map_err(map_error).map(drop)
}
