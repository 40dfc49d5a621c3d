//! Tasks that were read together. What is in them is read together too, each kind with one statement,
//! when the first of them is asked for it.

use std::sync::Arc;

use async_graphql::Context;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::api::context::RequestExt;
use crate::api::memory_size::MemorySize;
use crate::auth::Viewer;
use crate::domain::{ChecklistItem, Error, FileChange, Progress, Result, Risk};
use crate::graphql::error::FieldError;
use crate::graphql::response_budget::CountedBytes;
use crate::service::ByTask;

/// The ids of tasks of one viewer, and what has been read of them.
pub struct TaskPartLoader {
    viewer: Viewer,
    tasks: Vec<Uuid>,
    checklists: OnceCell<Result<LoadedParts<Vec<ChecklistItem>>>>,
    progress: OnceCell<Result<ByTask<Progress>>>,
    risks: OnceCell<Result<LoadedParts<Vec<Risk>>>>,
    files: OnceCell<Result<LoadedParts<Vec<FileChange>>>>,
}

/// Parts that have been read, and their memory, which is counted as long as they are kept.
struct LoadedParts<T> {
    parts: ByTask<T>,
    _held: CountedBytes,
}

impl TaskPartLoader {
    pub fn of(tasks: impl Iterator<Item = Uuid>, viewer: &Viewer) -> Arc<Self> {
        Arc::new(Self {
            viewer: viewer.clone(),
            tasks: tasks.collect(),
            checklists: OnceCell::new(),
            progress: OnceCell::new(),
            risks: OnceCell::new(),
            files: OnceCell::new(),
        })
    }

    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// The boxes of a task in order, steps among their parents.
    pub async fn checklist(&self, ctx: &Context<'_>, task: Uuid) -> Result<&[ChecklistItem], FieldError> {
        let read = || async {
            let request = ctx.request();
            let mut held = request.share().hold(0)?;
            let tasks = request.services().tasks(&self.viewer);
            let parts = tasks.checklists(&self.tasks, |part| held.add(part.memory_size())).await?;
            Ok(LoadedParts { parts, _held: held })
        };
        let read = self.checklists.get_or_init(read).await.as_ref().map(|read| &read.parts);
        Ok(of_task(ctx, read, task)?.map_or(&[], Vec::as_slice))
    }

    /// The boxes of a task, if they have been read.
    pub fn known_checklist(&self, task: Uuid) -> Option<&[ChecklistItem]> {
        let read = self.checklists.get()?.as_ref().ok()?;
        Some(read.parts.get(&task).map_or(&[], Vec::as_slice))
    }

    pub async fn progress(&self, ctx: &Context<'_>, task: Uuid) -> Result<Progress, FieldError> {
        let read = || async { ctx.request().services().tasks(&self.viewer).progress(&self.tasks).await };
        Ok(of_task(ctx, self.progress.get_or_init(read).await.as_ref(), task)?.copied().unwrap_or_default())
    }

    pub async fn risks(&self, ctx: &Context<'_>, task: Uuid) -> Result<&[Risk], FieldError> {
        let read = || async {
            let request = ctx.request();
            let mut held = request.share().hold(0)?;
            let tasks = request.services().tasks(&self.viewer);
            let parts = tasks.risks(&self.tasks, |part| held.add(part.memory_size())).await?;
            Ok(LoadedParts { parts, _held: held })
        };
        let read = self.risks.get_or_init(read).await.as_ref().map(|read| &read.parts);
        Ok(of_task(ctx, read, task)?.map_or(&[], Vec::as_slice))
    }

    pub async fn files(&self, ctx: &Context<'_>, task: Uuid) -> Result<&[FileChange], FieldError> {
        let read = || async {
            let request = ctx.request();
            let mut held = request.share().hold(0)?;
            let tasks = request.services().tasks(&self.viewer);
            let parts = tasks.files(&self.tasks, |part| held.add(part.memory_size())).await?;
            Ok(LoadedParts { parts, _held: held })
        };
        let read = self.files.get_or_init(read).await.as_ref().map(|read| &read.parts);
        Ok(of_task(ctx, read, task)?.map_or(&[], Vec::as_slice))
    }
}

fn of_task<'a, T>(
    ctx: &Context<'_>,
    read: Result<&'a ByTask<T>, &Error>,
    task: Uuid,
) -> Result<Option<&'a T>, FieldError> {
    match read {
        Ok(parts) => Ok(parts.get(&task)),
        Err(error) => Err(FieldError::at_path(ctx, Error::clone(error))),
    }
}
