//! Sign-ins: how they begin, go on and end, and how a token becomes a viewer.

use std::sync::Weak;
use std::time::{Duration, Instant as Moment};

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::db::entity::{session, session_ending, user};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{Clock, Error, Instant, Result, Session, User, new_id};
use crate::identity::{Claims, Client, Credential, Issued, Refresh, Refusal, Tokens, Viewer};
use crate::service::live::LiveSessions;

const NOT_SIGNED_IN: Error = Error::Unauthenticated("Authentication required");
const EXPIRED: Error = Error::Unauthenticated("Token has expired");
const INVALID: Error = Error::Unauthenticated("Invalid token");
const INVALID_REFRESH: Error = Error::InvalidCredentials("Invalid refresh token");

/// How long an exchanged refresh token still gives the same answer: for a lost one, or two tabs.
const GRACE: TimeDelta = TimeDelta::seconds(10);
/// How often endings are read. Every instance has to know within two seconds.
const NEWS_INTERVAL: Duration = Duration::from_millis(500);
/// How many sessions one statement ends: databases take only so many values.
const MOST_AT_ONCE: usize = 1_000;
/// How long reading them may take: a connection that died without a word would never answer.
const NEWS_TIME_LIMIT: Duration = Duration::from_secs(5);
/// How long endings are kept for instances to read.
const NEWS_KEPT: TimeDelta = TimeDelta::seconds(60);

/// A fresh sign-in, or one that was refreshed.
#[derive(Debug)]
pub struct SignedIn {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_at: Instant,
    pub user: User,
    pub viewer: Viewer,
}

/// All sign-ins.
pub struct Sessions {
    database: Database,
    clock: Clock,
    tokens: Tokens,
    lifetime: TimeDelta,
    live: LiveSessions,
}

impl Sessions {
    pub fn new(database: Database, clock: Clock, tokens: Tokens, lifetime: TimeDelta) -> Self {
        Self { database, clock, tokens, lifetime, live: LiveSessions::default() }
    }

    /// Opens a session and clears away those of the user that have run out.
    pub async fn open(&self, on: &Transaction, user: &User, client: &Client) -> Result<SignedIn> {
        let now = self.clock.now();
        session::Entity::delete_many()
            .filter(session::COLUMN.user_id.eq(user.id))
            .filter(session::COLUMN.expires_at.lte(now))
            .exec(on)
            .await
            .map_err(map_error)?;
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
        Ok(self.signed_in(user.clone(), &session))
    }

    /// The viewer that a credential belongs to, if its token is genuine and its session alive.
    pub async fn admit(&self, credential: &Credential) -> Result<Viewer> {
        let claims = self.claims(credential)?.map_err(|_| EXPIRED)?;
        let (session, user) = (claims.session_id(), claims.user_id());
        if !self.live.knows(session, user) {
            // Boxed: this is seldom needed, and large.
            Box::pin(self.look_up(session, user)).await?;
        }
        Ok(Viewer::admit(&claims))
    }

    /// Makes sure that a session is alive and notes that it is being used.
    async fn look_up(&self, session: Uuid, user: Uuid) -> Result<()> {
        if !self.is_alive(session, user).await? || !self.live.saw(session, user) {
            return Err(INVALID);
        }
        self.touch(session).await;
        Ok(())
    }

    /// Fails when the session of a viewer who was admitted has ended since.
    pub fn check(&self, viewer: &Viewer) -> Result<()> {
        if self.live.has_ended(viewer.session_id()) { Err(INVALID) } else { Ok(()) }
    }

    /// Notes that a session is being used, to the minute.
    async fn touch(&self, session: Uuid) {
        let now = self.clock.now();
        let touched = session::Entity::update_many()
            .filter(session::COLUMN.id.eq(session))
            .filter(session::COLUMN.last_used_at.lt(now - TimeDelta::minutes(1)))
            .col_expr(session::Column::LastUsedAt, Expr::val(now))
            .exec(self.database.write())
            .await;
        if let Err(error) = touched {
            // Nobody is to be refused for want of a note.
            tracing::debug!(error = %map_error(error), "a session's use could not be noted");
        }
    }

    async fn is_alive(&self, session: Uuid, user: Uuid) -> Result<bool> {
        let found = session::Entity::find()
            .inner_join(user::Entity)
            .filter(session::COLUMN.id.eq(session))
            .filter(session::COLUMN.user_id.eq(user))
            .filter(session::COLUMN.expires_at.gt(self.clock.now()))
            .filter(user::COLUMN.is_active.eq(true))
            .one(self.database.read())
            .await;
        Ok(found.map_err(map_error)?.is_some())
    }

    /// The claims of a genuine token: Ok while it is good, Err once it has expired.
    pub fn claims(&self, credential: &Credential) -> Result<Result<Claims, Claims>> {
        let Credential::Bearer(token) = credential else { return Err(NOT_SIGNED_IN) };
        match self.tokens.verify(token.expose_secret(), self.clock.now()) {
            Ok(claims) => Ok(Ok(claims)),
            Err(Refusal::Expired(claims)) => Ok(Err(claims)),
            Err(Refusal::Invalid) => Err(INVALID),
        }
    }

    /// Exchanges a refresh token. The same one again within ten seconds gives the same answer; later,
    /// or once the answer has been used, it has been stolen, and the session ends.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn> {
        let refresh = self.tokens.verify_refresh(token).ok_or(INVALID_REFRESH)?;
        let id = refresh.session_id;
        let rotated = self.rotate(self.database.write(), id, Some(refresh.count)).await?;
        let now = self.clock.now();
        let session = match rotated {
            Some(session) => session,
            None => {
                let found = session::Entity::find().filter(session::COLUMN.id.eq(id));
                let found = found.one(self.database.write()).await.map_err(map_error)?;
                let session = found.filter(|session| session.expires_at > now).ok_or(INVALID_REFRESH)?;
                let repeated =
                    session.refreshes == refresh.count.wrapping_add(1) && now <= session.refreshed_at + GRACE;
                if !repeated {
                    tracing::warn!(session_id = %id, "a refresh token came twice: its session is ended");
                    self.end_now(session::COLUMN.id.eq(id)).await?;
                    return Err(INVALID_REFRESH);
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
            .ok_or(INVALID_REFRESH)?;
        Ok(self.signed_in(user.into(), &session))
    }

    /// Takes a session one refresh further, if it is at `count` still. Without a count the pair of before
    /// is dead at once: nothing repeats a refresh that never was.
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

    /// The tokens of a session as it stands; the same for the same refresh.
    pub fn signed_in(&self, user: User, session: &session::Model) -> SignedIn {
        let refresh = Refresh { session_id: session.id, count: session.refreshes };
        let issued = self.tokens.issue(&user, refresh, session.expires_at, session.refreshed_at);
        let Issued { access_token, refresh_token, claims, expires_at } = issued;
        SignedIn { access_token, refresh_token, expires_at, viewer: Viewer::admit(&claims), user }
    }

    /// The user's sessions, newest activity first.
    pub async fn list(&self, viewer: &Viewer) -> Result<Vec<Session>> {
        let rows = session::Entity::find()
            .filter(session::COLUMN.user_id.eq(viewer.user_id()))
            .filter(session::COLUMN.expires_at.gt(self.clock.now()))
            .order_by_desc(session::Column::LastUsedAt)
            .order_by_desc(session::Column::Id)
            .all(self.database.read())
            .await
            .map_err(map_error)?;
        Ok(rows.into_iter().map(|row| to_domain(row, viewer)).collect())
    }

    /// Ends one of the viewer's sessions.
    pub async fn revoke(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let mine = session::COLUMN.id.eq(id).and(session::COLUMN.user_id.eq(viewer.user_id()));
        if self.end_now(mine).await? > 0 {
            return Ok(());
        }
        // Somebody else's session is not spoken of more than somebody else's task.
        let other = session::Entity::find().filter(session::COLUMN.id.eq(id)).one(self.database.read()).await;
        match other.map_err(map_error)? {
            Some(_) => Err(Error::Forbidden("This session belongs to somebody else.")),
            None => Err(Error::NotFound("There is no such session.")),
        }
    }

    /// Ends the sessions that meet a condition, in a transaction of its own; tells how many.
    pub async fn end_now(&self, condition: SimpleExpr) -> Result<usize> {
        let ended = in_transaction!(self.database, |transaction| {
            end_sessions(&transaction, condition.clone(), self.clock.now()).await
        })?;
        self.ended(&ended);
        Ok(ended.len())
    }

    /// Ends sessions as a part of something larger. When that is done, [`Sessions::ended`] is to know.
    pub async fn end(&self, on: &Transaction, condition: SimpleExpr) -> Result<Vec<Uuid>> {
        end_sessions(on, condition, self.clock.now()).await
    }

    /// Refuses ended sessions on this instance from now on.
    pub fn ended(&self, sessions: &[Uuid]) {
        self.live.end(sessions.iter().copied());
    }

    /// Reads what ended elsewhere, and clears away what everybody has read, for as long as anybody
    /// else holds the sessions.
    pub async fn follow_endings(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(NEWS_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for round in 0_u64.. {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            if let Err(error) = in_time(sessions.read_endings()).await {
                tracing::debug!(%error, "endings of sessions could not be read");
            }
            if round % 60 == 59
                && let Err(error) = in_time(sessions.clear_endings()).await
            {
                tracing::debug!(%error, "old endings of sessions could not be cleared away");
            }
        }
    }

    async fn read_endings(&self) -> Result<()> {
        let asked_at = Moment::now();
        let ended: Vec<Uuid> = session_ending::Entity::find()
            .select_only()
            .column(session_ending::Column::SessionId)
            .into_tuple()
            .all(self.database.read())
            .await
            .map_err(map_error)?;
        self.live.news(ended, asked_at);
        Ok(())
    }

    async fn clear_endings(&self) -> Result<()> {
        let old = session_ending::COLUMN.ended_at.lt(self.clock.now() - NEWS_KEPT);
        let cleared = session_ending::Entity::delete_many().filter(old).exec(self.database.write()).await;
        cleared.map_err(map_error).map(drop)
    }
}

async fn in_time(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(NEWS_TIME_LIMIT, work).await.unwrap_or(Err(Error::Timeout))
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

/// Ends the sessions that meet a condition and tells every instance; gives their ids.
pub(super) async fn end_sessions(on: &Transaction, condition: SimpleExpr, now: Instant) -> Result<Vec<Uuid>> {
    let ended: Vec<Uuid> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(condition)
        // In one order: two that lock the same rows could wait for each other.
        .order_by_asc(session::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(on)
        .await
        .map_err(map_error)?;
    let ending = |id: &Uuid| session_ending::ActiveModel { session_id: Set(*id), ended_at: Set(now) };
    for some in ended.chunks(MOST_AT_ONCE) {
        session_ending::Entity::insert_many(some.iter().map(ending))
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(on)
            .await
            .map_err(map_error)?;
        let gone = session::Entity::delete_many().filter(session::COLUMN.id.is_in(some.iter().copied()));
        gone.exec(on).await.map_err(map_error)?;
    }
    Ok(ended)
}
