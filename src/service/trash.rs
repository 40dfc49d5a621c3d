//! What goes out of the trash for good.

use std::sync::Weak;
use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use crate::db::entity::task::{Column, Entity};
use crate::db::{Database, map_error};
use crate::domain::{Clock, Error, Result};
use crate::service::tasks::KEPT_IN_TRASH;

const EMPTIED_EVERY: Duration = Duration::from_secs(3600);
/// Tasks that go at once, with up to a thousand parts each: other writes have their turn in between.
const BATCH: u64 = 10;

/// Empties the trash of all users.
pub struct Trash {
    database: Database,
    clock: Clock,
}

impl Trash {
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { database, clock }
    }

    /// Deletes what has been in the trash for too long, for as long as anybody else holds it. Several
    /// instances may do so at once.
    pub async fn purge(trash: Weak<Self>) {
        let mut interval = tokio::time::interval(EMPTIED_EVERY);
        loop {
            interval.tick().await;
            let Some(trash) = trash.upgrade() else { return };
            match trash.empty().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "tasks went out of the trash for good"),
                Err(error) => tracing::warn!(%error, "the trash could not be emptied"),
            }
        }
    }

    /// How many tasks went.
    async fn empty(&self) -> Result<u64> {
        let over = Column::DeletedAt.lte(self.clock.now() - KEPT_IN_TRASH);
        let mut all = 0;
        loop {
            let some = Entity::find().select_only().column(Column::Id).filter(over.clone());
            let some = some.order_by_asc(Column::DeletedAt).limit(BATCH).into_query();
            // Asked again of each task: it may have been brought back since it was chosen.
            let delete = Entity::delete_many().filter(Column::Id.in_subquery(some)).filter(over.clone());
            match delete.exec(self.database.write()).await.map_err(map_error) {
                Ok(gone) if gone.rows_affected == 0 => return Ok(all),
                Ok(gone) => all += gone.rows_affected,
                // Another instance empties it as well, or somebody brings a task back.
                Err(Error::Contended) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
