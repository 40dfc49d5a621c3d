//! Revokes sessions in the database: deletes their rows and records the revocations for all instances.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{OnConflict, SimpleExpr};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::entity::{session, session_ending};
use crate::db::{Transaction, map_error};
use crate::domain::{Instant, Result};

/// The number of sessions that one statement revokes. Databases limit the number of parameters.
const SESSIONS_PER_REVOKE: usize = 500;

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

/// Records revocations of sessions or API keys for all instances: at most [`SESSIONS_PER_REVOKE`].
pub(in crate::service) async fn record_revocations(
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
