//! The rows of API keys: how they are listed, revoked and deleted.

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::auth::Viewer;
use crate::db::entity::api_key::{COLUMN, Column, Entity};
use crate::db::entity::session_ending;
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{ApiKey, Error, Instant, MAX_API_KEYS, Result};
use crate::service::Sessions;
use crate::service::sessions::record_revocations;

/// The maximum number of expired keys of a user that are kept.
const MAX_EXPIRED: u64 = 100;
/// The maximum number of rows that a list reads: active and expired keys.
const MAX_LISTED: u64 = MAX_API_KEYS + MAX_EXPIRED + 1;
/// The number of keys that one statement deletes.
const KEYS_PER_DELETE: usize = 500;

/// The API keys of a user, newest first. Those that expired within the last 30 days are among them.
pub async fn list(on: &impl ConnectionTrait, user: Uuid) -> Result<Vec<ApiKey>> {
    let rows = Entity::find().filter(COLUMN.user_id.eq(user));
    let rows = rows.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(MAX_LISTED);
    Ok(rows.all(on).await.map_err(map_error)?.into_iter().map(ApiKey::from).collect())
}

/// The number of API keys of a user that have not expired.
pub async fn count_active(on: &impl ConnectionTrait, user: Uuid, now: Instant) -> Result<u64> {
    let active = Entity::find().filter(COLUMN.user_id.eq(user)).filter(COLUMN.expires_at.gt(now));
    active.count(on).await.map_err(map_error)
}

/// Deletes the expired keys of a user beyond [`MAX_EXPIRED`], so that there is a bound on the rows of a user.
pub async fn delete_oldest_expired(on: &Transaction, user: Uuid, now: Instant) -> Result<()> {
    let oldest = Entity::find().select_only().column(Column::Id).filter(COLUMN.user_id.eq(user));
    let oldest = oldest.filter(COLUMN.expires_at.lte(now)).order_by_desc(Column::ExpiresAt);
    let oldest = oldest.offset(MAX_EXPIRED).limit(KEYS_PER_DELETE as u64).into_tuple::<Uuid>();
    let oldest = oldest.all(on).await.map_err(map_error)?;
    if oldest.is_empty() {
        return Ok(());
    }
    let delete = Entity::delete_many().filter(COLUMN.id.is_in(oldest));
    delete.exec(on).await.map_err(map_error).map(drop)
}

/// Ends the use of a user's API keys without deleting them, and returns their ids: the user is inactive.
pub async fn suspend_all(on: &Transaction, user: Uuid, now: Instant) -> Result<Vec<Uuid>> {
    let ids = ids_of(on, user).await?;
    for batch in ids.chunks(KEYS_PER_DELETE) {
        record_revocations(on, batch.iter().copied(), now).await?;
    }
    Ok(ids)
}

/// Undoes [`suspend_all`]: the user is active again.
pub async fn resume_all(on: &Transaction, user: Uuid) -> Result<()> {
    let ids = ids_of(on, user).await?;
    let endings = session_ending::Entity::delete_many().filter(session_ending::COLUMN.session_id.is_in(ids));
    endings.exec(on).await.map_err(map_error).map(drop)
}

async fn ids_of(on: &Transaction, user: Uuid) -> Result<Vec<Uuid>> {
    let ids = Entity::find().select_only().column(Column::Id).filter(COLUMN.user_id.eq(user));
    ids.into_tuple().all(on).await.map_err(map_error)
}

/// Revokes all API keys of a user, and returns the ids of those that were active. After the commit the caller passes
/// them to [`Sessions::mark_revoked`].
pub async fn revoke_all(on: &Transaction, user: Uuid, now: Instant) -> Result<Vec<Uuid>> {
    revoke_where(on, COLUMN.user_id.eq(user), now).await
}

async fn revoke_where(on: &Transaction, condition: SimpleExpr, now: Instant) -> Result<Vec<Uuid>> {
    // Sorted, because two transactions that lock the same rows in different orders could wait for each other.
    let keys = Entity::find().filter(condition).order_by_asc(Column::Id).lock_exclusive();
    let keys = keys.all(on).await.map_err(map_error)?;
    for batch in keys.chunks(KEYS_PER_DELETE) {
        let delete = Entity::delete_many().filter(COLUMN.id.is_in(batch.iter().map(|key| key.id)));
        delete.exec(on).await.map_err(map_error)?;
    }
    let active: Vec<Uuid> = keys.iter().filter(|key| key.expires_at > now).map(|key| key.id).collect();
    record_revocations(on, active.iter().copied(), now).await?;
    Ok(active)
}

impl Sessions {
    /// Those of the viewer's API keys that have one of the ids.
    pub async fn find_keys(&self, viewer: &Viewer, ids: &[Uuid]) -> Result<Vec<ApiKey>> {
        let rows = Entity::find().filter(COLUMN.user_id.eq(viewer.user_id()));
        let rows = rows.filter(COLUMN.id.is_in(ids.iter().copied()));
        let rows = rows.all(&self.database.read_for(viewer.user_id())).await.map_err(map_error)?;
        Ok(rows.into_iter().map(ApiKey::from).collect())
    }

    /// Revokes an API key of the viewer, or the key that the viewer uses.
    ///
    /// Errors: MissingRight when the viewer uses another key; NotFound when there is no such key; Forbidden when it
    /// belongs to another user.
    pub async fn revoke_key(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        if viewer.api_key_id() != Some(id) {
            viewer.require_session()?;
        }
        let of_viewer = COLUMN.id.eq(id).and(COLUMN.user_id.eq(viewer.user_id()));
        let (found, revoked) = in_transaction!(self.database.for_user(viewer.user_id()), |transaction| {
            let found =
                Entity::find().filter(of_viewer.clone()).count(&transaction).await.map_err(map_error)?;
            Ok((found, revoke_where(&transaction, of_viewer.clone(), self.clock.now()).await?))
        })?;
        self.mark_revoked(&revoked);
        if found > 0 {
            return Ok(());
        }
        // As with tasks, the error only reveals that the key of another user exists.
        let other =
            Entity::find().filter(COLUMN.id.eq(id)).one(&self.database.read_for(viewer.user_id())).await;
        match other.map_err(map_error)? {
            Some(_) => Err(Error::Forbidden("This API key belongs to another user.")),
            None => Err(Error::NotFound("There is no such API key.")),
        }
    }
}
