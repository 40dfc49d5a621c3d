//! How many sessions a user has at most, and how those go that have expired or are too many.

use std::sync::Weak;
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::db::entity::session::{COLUMN, Column, Entity};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{Error, Instant, Result};
use crate::service::Sessions;
use crate::service::sessions::{record_revocations, revoke_sessions};

/// How many live sessions a user has at most.
pub(in crate::service) const MAX_SESSIONS: u64 = 100;
/// How many sessions one statement deletes: other writes have their turn in between.
const SESSIONS_PER_DELETE: u64 = 500;
/// How many ids are read at a time of sessions that are too many.
const IDS_PER_READ: u64 = 10_000;
/// How many users with too many sessions are looked for at a time.
const USERS_PER_READ: u64 = 100;
/// A session that was used within this time may be one that another instance believes to be alive. It is longer
/// than that belief, since the use is noted to the minute.
const EXPIRY_TOLERANCE: TimeDelta = TimeDelta::minutes(5);
const CLEANUP_INTERVAL: Duration = Duration::from_secs(60);
/// How many rounds of deleting expired sessions there are for one look for users with too many. Only
/// sessions from before there was a limit are too many, and those of older programs on the same database.
const CLEANUPS_PER_FULL_TRIM: u64 = 60;

/// The ids of a user's live sessions, those that were used last first, without the first few.
fn ids_beyond(user: Uuid, now: Instant, skip: u64, limit: u64) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(COLUMN.user_id.eq(user))
        .filter(COLUMN.expires_at.gt(now))
        .order_by_desc(Column::LastUsedAt)
        .order_by_desc(Column::Id)
        .offset(skip)
        .limit(limit)
}

/// Ends those of a user's sessions that were used longest ago, so that there is room for one more. If there
/// are very many from before there was a limit, it ends some of them, and the others go in the background.
pub(in crate::service) async fn revoke_oldest(
    on: &Transaction,
    user: Uuid,
    now: Instant,
) -> Result<Vec<Uuid>> {
    let oldest =
        ids_beyond(user, now, MAX_SESSIONS - 1, SESSIONS_PER_DELETE).into_tuple::<Uuid>().all(on).await;
    let oldest = oldest.map_err(map_error)?;
    if oldest.is_empty() {
        return Ok(oldest);
    }
    revoke_sessions(on, COLUMN.id.is_in(oldest), now).await
}

/// Deletes what a user has beyond the limit of sessions, a few at a time, but for one that is in use at the
/// moment; gives the ids. Other instances are told of those that were used lately, since they believe for a
/// minute that such a session is alive; of all of them the table of endings would hold very many.
pub(in crate::service) async fn trim_sessions(
    database: &Database,
    user: Uuid,
    keep: Option<Uuid>,
    now: Instant,
) -> Result<Vec<Uuid>> {
    let mut deleted = Vec::new();
    loop {
        let ids = ids_beyond(user, now, MAX_SESSIONS, IDS_PER_READ).into_tuple::<Uuid>().all(database.read());
        let mut ids: Vec<Uuid> = ids.await.map_err(map_error)?;
        let found = ids.len() as u64;
        ids.retain(|id| Some(*id) != keep);
        // In one order: two that lock the same rows could wait for each other.
        ids.sort_unstable();
        for batch in ids.chunks(SESSIONS_PER_DELETE as usize) {
            delete_by_ids(database, batch, now).await?;
        }
        deleted.append(&mut ids);
        if found < IDS_PER_READ {
            return Ok(deleted);
        }
    }
}

/// Deletes sessions by their ids, in a transaction of its own.
async fn delete_by_ids(database: &Database, ids: &[Uuid], now: Instant) -> Result<()> {
    in_transaction!(database, |transaction| {
        let has_id = || COLUMN.id.is_in(ids.iter().copied());
        let lock = Entity::find().filter(has_id()).order_by_asc(Column::Id).lock_exclusive();
        let locked = lock.all(&transaction).await.map_err(map_error)?;
        let recent = locked.iter().filter(|session| (now - session.last_used_at).abs() <= EXPIRY_TOLERANCE);
        record_revocations(&transaction, recent.map(|session| session.id), now).await?;
        let delete = Entity::delete_many().filter(has_id()).exec(&transaction);
        delete.await.map_err(map_error).map(drop)
    })
}

impl Sessions {
    /// Deletes sessions that have expired, and those that are too many, for as long as the sessions are in
    /// use elsewhere. Several instances may do so at once.
    pub async fn delete_old(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(CLEANUP_INTERVAL);
        for round in 0_u64.. {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            let is_full_trim = round.is_multiple_of(CLEANUPS_PER_FULL_TRIM);
            match sessions.delete_expired().await {
                Ok(()) if !is_full_trim => {}
                Ok(()) => sessions.trim_all().await.unwrap_or_else(report),
                Err(error) => report(error),
            }
        }
    }

    async fn delete_expired(&self) -> Result<()> {
        loop {
            // They are looked for beside SQLite's one writer.
            let expired = Entity::find().select_only().column(Column::Id);
            let expired = expired.filter(COLUMN.expires_at.lte(self.clock.now())).limit(SESSIONS_PER_DELETE);
            let mut ids: Vec<Uuid> =
                expired.into_tuple().all(self.database.read()).await.map_err(map_error)?;
            ids.sort_unstable();
            if ids.is_empty() {
                return Ok(());
            }
            delete_by_ids(&self.database, &ids, self.clock.now()).await?;
        }
    }

    async fn trim_all(&self) -> Result<()> {
        loop {
            // Those that have expired are not counted, since trimming leaves them.
            let live = Entity::find().filter(COLUMN.expires_at.gt(self.clock.now()));
            let users = live.select_only().column(Column::UserId).group_by(Column::UserId);
            let users = users.having(Column::Id.count().gt(MAX_SESSIONS)).limit(USERS_PER_READ);
            let users = users.into_tuple::<Uuid>().all(self.database.read()).await.map_err(map_error)?;
            if users.is_empty() {
                return Ok(());
            }
            for user in users {
                let revoked = trim_sessions(&self.database, user, None, self.clock.now()).await?;
                self.mark_revoked(&revoked);
                tracing::info!(user_id = %user, count = revoked.len(), "sessions beyond the limit were revoked");
            }
        }
    }
}

fn report(error: Error) {
    tracing::debug!(%error, "old sessions could not be deleted");
}
