//! What many viewers do with one task each, all the time, in batches: one statement, and one commit, for
//! all that waits. Whose task it is goes with each: what `Tasks::mine` is for one viewer, the pairs of owner
//! and id are here, in the statement and again when each gets its own.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::{Result, Task};
use crate::service::batcher::Batcher;
use crate::service::database::{Database, meaning};
use crate::service::entity::task::{ActiveModel, Column, Entity, TaskRow};
use crate::service::tasks::{is_live, refusal, tasks};

/// The batches of tasks.
pub(super) struct TaskBatches {
    /// Gives the live task of a user's that has an id.
    pub find: Batcher<(Uuid, Uuid), Option<Task>>,
    /// Inserts a task under a new id.
    pub insert: Batcher<Task, ()>,
}

impl TaskBatches {
    pub fn new(database: &Database) -> Self {
        let (for_find, for_insert) = (database.clone(), database.clone());
        Self {
            find: Batcher::new(move |wanted| find(for_find.clone(), wanted)),
            insert: Batcher::new(move |new| insert(for_insert.clone(), new)),
        }
    }
}

async fn find(database: Database, wanted: Arc<[(Uuid, Uuid)]>) -> Result<Vec<Option<Task>>> {
    let rows = TaskRow::find()
        .filter(Column::OwnerId.is_in(wanted.iter().map(|(owner, _)| *owner)))
        .filter(Column::Id.is_in(wanted.iter().map(|(_, id)| *id)))
        .filter(is_live());
    let found = tasks(rows.into_model().all(database.read()).await.map_err(meaning)?)?;
    let found: HashMap<(Uuid, Uuid), Task> =
        found.into_iter().map(|task| ((task.owner_id, task.id), task)).collect();
    Ok(wanted.iter().map(|of| found.get(of).cloned()).collect())
}

async fn insert(database: Database, new: Arc<[Task]>) -> Result<Vec<()>> {
    // The ids are new, so a row under one of them is this task, sent before.
    let sent_before = OnConflict::column(Column::Id).do_nothing().to_owned();
    let insert = Entity::insert_many(new.iter().map(ActiveModel::from)).on_conflict(sent_before);
    insert.exec_without_returning(database.write_again()).await.map_err(refusal)?;
    Ok(vec![(); new.len()])
}
