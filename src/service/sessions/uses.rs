//! Records when sessions were last used. The times are written in the background, for many sessions per
//! statement, so that no request waits for the write or fails because of it.

use std::sync::Weak;
use std::time::Duration;

use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::entity::session::{COLUMN, Column, Entity};
use crate::db::map_error;
use crate::domain::Result;
use crate::service::Sessions;

const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// The number of sessions that one statement updates.
const SESSIONS_PER_WRITE: usize = 500;
impl Sessions {
    /// Writes last uses regularly, until the last other reference to `sessions` is dropped.
    pub async fn write_uses(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(WRITE_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            sessions.write_pending_uses().await;
        }
    }

    /// Writes the pending last uses.
    pub(in crate::service) async fn write_pending_uses(&self) {
        for batch in self.uses.take().chunks(SESSIONS_PER_WRITE) {
            if let Err(error) = self.write_last_used(batch).await {
                tracing::debug!(%error, "the last uses of sessions could not be written");
            }
        }
    }

    async fn write_last_used(&self, used: &[Uuid]) -> Result<()> {
        let now = self.clock.now();
        // Locked sessions are being refreshed or revoked and are skipped: a statement that waits for several
        // locks could cause a deadlock.
        let unlocked = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(COLUMN.id.is_in(used.iter().copied()))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .into_query();
        let update = Entity::update_many()
            .filter(COLUMN.id.in_subquery(unlocked))
            .col_expr(Column::LastUsedAt, Expr::val(now));
        update.exec(self.database.write()).await.map_err(map_error).map(drop)
    }
}
