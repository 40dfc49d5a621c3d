//! The maximum number of sessions of a user, and the deletion of sessions beyond it.

use chrono::TimeDelta;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::db::entity::session::{COLUMN, Column, Entity};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{Instant, Result};
use crate::service::sessions::revoke_rows::{record_revocations, revoke_sessions};

/// The maximum number of active sessions of a user.
pub(in crate::service) const MAX_SESSIONS: u64 = 100;
/// The number of sessions that one statement deletes. Other writes run between the statements.
pub(super) const SESSIONS_PER_DELETE: u64 = 500;
/// The number of ids of excess sessions that one query reads.
const IDS_PER_READ: u64 = 10_000;
/// A session that was used within this time may be in the cache or have streams on another instance. It is
/// longer than an hour, because the recorded use of a session with streams may be that old.
const EXPIRY_TOLERANCE: TimeDelta = TimeDelta::minutes(90);

/// The ids of a user's active sessions, most recently used first, without the first `skip`.
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

/// Revokes the least recently used sessions of a user, so that one more is within the limit. If there are
/// many excess sessions from before the limit was introduced, it revokes some of them; the others are deleted
/// in the background.
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

/// Deletes a user's sessions beyond the limit in small groups, except for `keep`, and returns their ids. Only
/// recently used sessions are recorded as revoked, because only these may be in the cache of another
/// instance, and the table of revocations would otherwise become very large.
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
        // Sorted, because two transactions that lock the same rows in different orders could wait for each
        // other.
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

/// Deletes sessions by their ids in their own transaction.
pub(super) async fn delete_by_ids(database: &Database, ids: &[Uuid], now: Instant) -> Result<()> {
    in_transaction!(database, |transaction| {
        let has_id = || COLUMN.id.is_in(ids.iter().copied());
        let lock = Entity::find().select_only().columns([Column::Id, Column::LastUsedAt]);
        let lock = lock.filter(has_id()).order_by_asc(Column::Id).lock_exclusive();
        let locked = lock.into_tuple::<(Uuid, Instant)>().all(&transaction).await.map_err(map_error)?;
        let recent =
            locked.iter().filter(|(_, last_used_at)| (now - *last_used_at).abs() <= EXPIRY_TOLERANCE);
        record_revocations(&transaction, recent.map(|(id, _)| *id), now).await?;
        let delete = Entity::delete_many().filter(has_id()).exec(&transaction);
        delete.await.map_err(map_error).map(drop)
    })
}
