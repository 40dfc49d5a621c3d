//! Revocation of sessions: deletes them and records them for the other instances.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{ExprTrait, OnConflict, SimpleExpr};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::auth::Viewer;
use crate::db::entity::{session, session_ending};
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Instant, Result};
use crate::service::Sessions;

/// The number of sessions that one statement revokes. Databases limit the number of parameters.
const SESSIONS_PER_REVOKE: usize = 500;

impl Sessions {
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

/// Deletes the active sessions that meet a condition, records the revocations for all instances, and returns
/// the ids.
pub(in crate::service) async fn revoke_sessions(
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
