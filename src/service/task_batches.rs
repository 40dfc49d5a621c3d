//! What many viewers do with one task each, all the time, in batches: one statement, and one commit, for
//! all that waits. Whose task it is goes with each.

use std::collections::HashMap;

use futures_util::future::join_all;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::{Error, Result, Task};
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
            find: Batcher::new(move |wanted| find_all(for_find.clone(), wanted)),
            insert: Batcher::new(move |new| insert_all(for_insert.clone(), new)),
        }
    }
}

async fn find_all(database: Database, wanted: Vec<(Uuid, Uuid)>) -> Vec<Result<Option<Task>>> {
    let rows = TaskRow::find()
        .filter(Column::OwnerId.is_in(wanted.iter().map(|(owner, _)| *owner)))
        .filter(Column::Id.is_in(wanted.iter().map(|(_, id)| *id)))
        .filter(is_live());
    match rows.into_model().all(database.read()).await.map_err(meaning).and_then(tasks) {
        Ok(found) => {
            let found: HashMap<(Uuid, Uuid), Task> =
                found.into_iter().map(|task| ((task.owner_id, task.id), task)).collect();
            wanted.iter().map(|of| Ok(found.get(of).cloned())).collect()
        }
        Err(error) => vec![Err(error); wanted.len()],
    }
}

async fn insert_all(database: Database, new: Vec<Task>) -> Vec<Result<()>> {
    match insert(&database, &new).await {
        // None of them is in, and the reason may be one alone.
        Err(error) if new.len() > 1 && !matches!(error, Error::Unavailable(_)) => {
            join_all(new.chunks(1).map(|one| insert(&database, one))).await
        }
        done => vec![done; new.len()],
    }
}

async fn insert(database: &Database, new: &[Task]) -> Result<()> {
    // The ids are new, so a row under one of them is this task, sent before.
    let sent_before = OnConflict::column(Column::Id).do_nothing().to_owned();
    let insert = Entity::insert_many(new.iter().map(ActiveModel::from)).on_conflict(sent_before);
    insert.exec_without_returning(database.write_again()).await.map_err(refusal).map(drop)
}
