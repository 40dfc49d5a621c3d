//! The choice of the task that the next claim is for.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use task_documents::list::{ListTask, PathSet};
use uuid::Uuid;

use crate::db::entity::file_change::{Column, Entity};
use crate::db::{Transaction, map_error};
use crate::domain::{Claim, NewClaim, NoClaimReason, Result, TaskStatus};
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::waiting::{WaitingTask, WaitingTasks};
use crate::service::tasks::paths_of_task;

/// The number of tasks whose files are read with one statement.
const TASKS_PER_READ: usize = 100;

impl TaskLists<'_> {
    /// The first task that can be claimed, with its paths, or the reason why there is none.
    pub(super) async fn next_task<'w>(
        &self,
        transaction: &Transaction,
        new: &NewClaim,
        waiting: &'w WaitingTasks,
        live: &[Claim],
    ) -> Result<Result<(&'w WaitingTask, Vec<String>), NoClaimReason>> {
        let considered = || waiting.lines_of(new.list_id).filter(|(line, task, _)| new.considers(line, task));
        let ready = considered().filter(|(.., is_ready)| *is_ready);
        let ready: Vec<(&ListTask, &WaitingTask)> = ready.map(|(line, task, _)| (line, task)).collect();
        let held: PathSet = live.iter().flat_map(|claim| &claim.paths).map(String::as_str).collect();
        // Without a live claim the first task is taken.
        let batch = if live.is_empty() { 1 } else { TASKS_PER_READ };
        for tasks in ready.chunks(batch) {
            let mut files = self.files_of(transaction, tasks.iter().map(|(_, task)| task.id)).await?;
            for (line, task) in tasks {
                let texts = [Some(task.text.as_str()), line.details.as_deref()];
                let files = files.remove(&task.id).unwrap_or_default();
                let paths = paths_of_task(texts.into_iter().flatten(), files);
                if !paths.iter().any(|path| held.overlaps(path)) {
                    return Ok(Ok((task, paths)));
                }
            }
        }
        let is_open = |(_, task, _): &(_, &WaitingTask, _)| task.status != TaskStatus::Completed;
        Ok(Err(match considered().any(|considered| is_open(&considered)) {
            false => NoClaimReason::Done,
            true if ready.is_empty() => NoClaimReason::Waiting,
            true => NoClaimReason::FilesBusy,
        }))
    }

    /// The paths of the files of these tasks, in order.
    async fn files_of(
        &self,
        transaction: &Transaction,
        tasks: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Vec<String>>> {
        let rows = Entity::find().select_only().columns([Column::TaskId, Column::Path]);
        let rows = rows.filter(Column::TaskId.is_in(tasks)).order_by_asc(Column::Position);
        let rows: Vec<(Uuid, String)> = rows.into_tuple().all(transaction).await.map_err(map_error)?;
        let mut files: HashMap<Uuid, Vec<String>> = HashMap::new();
        for (task, path) in rows {
            files.entry(task).or_default().push(path);
        }
        Ok(files)
    }
}

impl NewClaim {
    fn considers(&self, line: &ListTask, task: &WaitingTask) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains(&task.key))
            && self
                .stories
                .as_ref()
                .is_none_or(|stories| line.stories.iter().any(|key| stories.contains(key)))
    }
}
