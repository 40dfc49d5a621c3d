//! Finds the changes that other processes have made: reads the counters of the owners that clients of this
//! instance listen to.

use std::sync::Weak;
use std::time::Duration;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::entity::change_head::{Column, Entity};
use crate::db::{Database, map_error};
use crate::domain::{Error, Result};

/// The interval between polls. A change of another instance must be delivered within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The maximum time of one statement: on a dead connection it would never return. Streams continue within 2 s after
/// the database replies again.
const POLL_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The owners of one statement.
const OWNERS_PER_STATEMENT: usize = 1024;

/// Polls the counters of the owners with listeners.
pub struct ChangePoll {
    database: Database,
}

impl ChangePoll {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Polls until the last other reference to `poll` is dropped. Without listeners it does nothing.
    pub async fn run(poll: Weak<Self>) {
        let mut interval = tokio::time::interval(POLL_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let Some(poll) = poll.upgrade() else { return };
            for owners in poll.database.feeds().owners().chunks(OWNERS_PER_STATEMENT) {
                let read = tokio::time::timeout(POLL_TIMEOUT, poll.read(owners)).await;
                if let Err(error) = read.unwrap_or(Err(Error::Timeout)) {
                    tracing::debug!(%error, "the counters of changes could not be read");
                }
            }
        }
    }

    async fn read(&self, owners: &[Uuid]) -> Result<()> {
        // The list is filled up to a power of two, because the database prepares a statement for each length.
        let length = owners.len().next_power_of_two();
        let padded = owners.iter().chain(std::iter::repeat(&owners[0])).take(length);
        let heads = Entity::find().select_only().columns([Column::Owner, Column::Position]);
        let heads = heads.filter(Column::Owner.is_in(padded.copied())).into_tuple::<(Uuid, i64)>();
        for (owner, head) in heads.all(self.database.read()).await.map_err(map_error)? {
            self.database.feeds().report(owner, head);
        }
        Ok(())
    }
}
