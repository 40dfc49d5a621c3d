//! The small values of a list's tasks, which progress, phases and stories are computed from. They are read with one
//! statement for a whole list.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::db::entity::task::{Column, TaskColumns, TaskRow};
use crate::db::map_error;
use crate::domain::{Progress, Result, Task, TaskStatus};
use crate::service::task_lists::TaskLists;
use crate::service::task_rows::is_active;

/// The tasks of a list that are not in the trash, in the order of its document, and those of each phase and story.
#[derive(Default)]
pub struct ListOutline {
    tasks: Vec<OutlineTask>,
    of_phases: HashMap<Uuid, Vec<usize>>,
    of_stories: HashMap<String, Vec<usize>>,
}

/// A task of a list.
pub struct OutlineTask {
    pub id: Uuid,
    pub position: i64,
    status: TaskStatus,
    phase_id: Option<Uuid>,
    stories: Vec<String>,
}

impl TaskLists<'_> {
    /// The tasks of a list.
    pub async fn outline(&self, list: Uuid) -> Result<ListOutline> {
        let columns =
            TaskColumns::shown_by(["status", "phase", "stories"]).with_ordered_by(Column::ListPosition).set();
        let rows = TaskRow::find_columns(columns)
            .filter(self.tasks.mine())
            .filter(is_active())
            .filter(Column::ListId.eq(list))
            .order_by_asc(Column::ListPosition);
        let tasks = TaskRow::all_columns::<OutlineTask>(rows, columns, &self.tasks.database.read()).await;
        Ok(ListOutline::new(tasks.map_err(map_error)?))
    }
}

impl ListOutline {
    fn new(tasks: Vec<OutlineTask>) -> Self {
        let mut outline = Self::default();
        for (index, task) in tasks.iter().enumerate() {
            if let Some(phase) = task.phase_id {
                outline.of_phases.entry(phase).or_default().push(index);
            }
            for story in &task.stories {
                outline.of_stories.entry(story.clone()).or_default().push(index);
            }
        }
        Self { tasks, ..outline }
    }

    /// All tasks.
    pub fn all(&self) -> Vec<&OutlineTask> {
        self.tasks.iter().collect()
    }

    /// The tasks of a phase.
    pub fn of_phase(&self, phase: Uuid) -> Vec<&OutlineTask> {
        self.selected(self.of_phases.get(&phase))
    }

    /// The tasks of a story.
    pub fn of_story(&self, story: &str) -> Vec<&OutlineTask> {
        self.selected(self.of_stories.get(story))
    }

    fn selected(&self, indexes: Option<&Vec<usize>>) -> Vec<&OutlineTask> {
        indexes.into_iter().flatten().map(|index| &self.tasks[*index]).collect()
    }
}

/// How many of the tasks are completed.
pub fn progress_of(tasks: &[&OutlineTask]) -> Progress {
    let done = tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
    Progress { done, total: tasks.len() }
}

impl From<TaskRow> for OutlineTask {
    fn from(row: TaskRow) -> Self {
        let Task { id, status, entry, .. } = row.into();
        let entry = entry.unwrap_or_default();
        Self { id, status, phase_id: entry.phase_id, stories: entry.stories, position: entry.position }
    }
}
