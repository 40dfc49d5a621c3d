//! Records when sessions and API keys were last used. The times are written in the background, for many sessions per
//! statement, so that no request waits for the write or fails because of it.

use std::net::IpAddr;
use std::sync::Weak;
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::sea_query::{CaseStatement, Expr, LockBehavior, LockType};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::entity::api_key;
use crate::db::entity::session::{COLUMN, Column, Entity};
use crate::db::map_error;
use crate::domain::{Instant, Result};
use crate::service::Sessions;

const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// The time between two records of the use of the sessions that have streams. A recorded use must not be older
/// than an hour, and a write may fail.
const STREAM_USE_INTERVAL: TimeDelta = TimeDelta::minutes(10);
/// The number of sessions or API keys that one statement updates.
const SESSIONS_PER_WRITE: usize = 500;

impl Sessions {
    /// Writes last uses regularly, until the last other reference to `sessions` is dropped.
    pub async fn write_uses(sessions: Weak<Self>) {
        let mut interval = tokio::time::interval(WRITE_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut streams_recorded_at = None;
        loop {
            interval.tick().await;
            let Some(sessions) = sessions.upgrade() else { return };
            sessions.write_pending_uses().await;
            sessions.write_uses_by_streams(&mut streams_recorded_at).await;
        }
    }

    /// Writes the pending last uses.
    pub(in crate::service) async fn write_pending_uses(&self) {
        self.write_in_batches(&self.uses.take().into_keys().collect::<Vec<_>>()).await;
        let used = self.key_uses.take();
        let used: Vec<_> = used.into_iter().map(|(key, address)| (key, Some(address))).collect();
        self.write_key_uses(&used).await;
    }

    /// Writes that the sessions with open streams are used, if the last time is long ago.
    async fn write_uses_by_streams(&self, recorded_at: &mut Option<Instant>) {
        let now = self.clock.now();
        // The absolute difference, because the clock may have been set back.
        if recorded_at.is_none_or(|at| (now - at).abs() >= STREAM_USE_INTERVAL) {
            *recorded_at = Some(now);
            let streamed = self.streamed.all();
            self.write_in_batches(&streamed).await;
            let streamed: Vec<_> = streamed.into_iter().map(|id| (id, None)).collect();
            self.write_key_uses(&streamed).await;
        }
    }

    async fn write_in_batches(&self, used: &[Uuid]) {
        for batch in used.chunks(SESSIONS_PER_WRITE) {
            if let Err(error) = self.write_last_used(batch).await {
                tracing::debug!(%error, "the last uses of sessions could not be written");
            }
        }
    }

    /// Writes that API keys were used now, each with the address of the client if it is known.
    async fn write_key_uses(&self, used: &[(Uuid, Option<IpAddr>)]) {
        for batch in used.chunks(SESSIONS_PER_WRITE) {
            let unlocked = api_key::Entity::find()
                .select_only()
                .column(api_key::Column::Id)
                .filter(api_key::COLUMN.id.is_in(batch.iter().map(|(key, _)| *key)))
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                .into_query();
            let mut update = api_key::Entity::update_many()
                .filter(api_key::COLUMN.id.in_subquery(unlocked))
                .col_expr(api_key::Column::LastUsedAt, Expr::val(self.clock.now()));
            let known = batch.iter().filter_map(|(key, address)| Some((*key, (*address)?)));
            let addresses = known.fold(None, |addresses: Option<CaseStatement>, (key, address)| {
                let text = address.to_canonical().to_string();
                Some(addresses.unwrap_or_default().case(api_key::COLUMN.id.eq(key), Expr::val(text)))
            });
            if let Some(addresses) = addresses {
                let address = addresses.finally(Expr::col(api_key::Column::LastUsedIpAddress));
                update = update.col_expr(api_key::Column::LastUsedIpAddress, address.into());
            }
            if let Err(error) = update.exec(self.database.write()).await {
                tracing::debug!(%error, "the last uses of API keys could not be written");
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
