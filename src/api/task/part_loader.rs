//! Loads the task parts of tasks that were read together: one statement for each kind of parts, when it is
//! first needed.

use std::sync::{Arc, OnceLock};

use async_graphql::Context;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::api::context::RequestExt;
use crate::api::dependency::loader::WaitingLoader;
use crate::api::memory_size::MemorySize;
use crate::auth::Viewer;
use crate::domain::{ChecklistItem, Error, FileChange, Progress, Result, Risk};
use crate::graphql::error::FieldError;
use crate::graphql::response_budget::CountedBytes;
use crate::service::{ByTask, WaitingSeeds};

/// The task parts of several tasks of one viewer, each kind loaded at its first use.
pub struct TaskPartLoader {
    viewer: Viewer,
    tasks: Vec<Uuid>,
    checklists: OnceCell<Result<LoadedParts<Vec<ChecklistItem>>>>,
    progress: OnceCell<Result<ByTask<Progress>>>,
    risks: OnceCell<Result<LoadedParts<Vec<Risk>>>>,
    files: OnceCell<Result<LoadedParts<Vec<FileChange>>>>,
    waiting: OnceLock<Arc<WaitingLoader>>,
}

/// Loaded parts. Their memory is counted in the response budget until they are dropped.
struct LoadedParts<T> {
    parts: ByTask<T>,
    _counted: CountedBytes,
}

impl TaskPartLoader {
    /// A loader for these tasks of `viewer`.
    pub fn of(tasks: impl Iterator<Item = Uuid>, viewer: &Viewer) -> Arc<Self> {
        Arc::new(Self {
            viewer: viewer.clone(),
            tasks: tasks.collect(),
            checklists: OnceCell::new(),
            progress: OnceCell::new(),
            risks: OnceCell::new(),
            files: OnceCell::new(),
            waiting: OnceLock::new(),
        })
    }

    /// The owner of the tasks.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// The loader of what those of the tasks wait for that belong to no list.
    pub fn waiting(&self, ctx: &Context<'_>) -> &Arc<WaitingLoader> {
        self.waiting.get_or_init(|| {
            let seeds = WaitingSeeds { lists: Vec::new(), outside: self.tasks.clone() };
            ctx.request().waiting_loader(seeds, &self.viewer)
        })
    }

    /// The checklist items of a task in order, sub-items included. Loads them if necessary. Errors: those of
    /// a statement; Unavailable when the response budget is used up.
    pub async fn checklist(&self, ctx: &Context<'_>, task: Uuid) -> Result<&[ChecklistItem], FieldError> {
        let load = || async {
            let request = ctx.request();
            let mut counted = request.share().hold(0)?;
            let tasks = request.services().tasks_read(&self.viewer)?;
            let parts = tasks.checklists(&self.tasks, |part| counted.add(part.memory_size())).await?;
            Ok(LoadedParts { parts, _counted: counted })
        };
        let loaded = self.checklists.get_or_init(load).await.as_ref().map(|loaded| &loaded.parts);
        Ok(of_task(ctx, loaded, task)?.map_or(&[], Vec::as_slice))
    }

    /// The checklist items of a task in order, if they have been loaded.
    pub fn loaded_checklist(&self, task: Uuid) -> Option<&[ChecklistItem]> {
        let loaded = self.checklists.get()?.as_ref().ok()?;
        Some(loaded.parts.get(&task).map_or(&[], Vec::as_slice))
    }

    /// The progress of a task. Errors: those of a statement.
    pub async fn progress(&self, ctx: &Context<'_>, task: Uuid) -> Result<Progress, FieldError> {
        let load =
            || async { ctx.request().services().tasks_read(&self.viewer)?.progress(&self.tasks).await };
        Ok(of_task(ctx, self.progress.get_or_init(load).await.as_ref(), task)?.copied().unwrap_or_default())
    }

    /// The risks of a task in order. Errors: as [`Self::checklist`].
    pub async fn risks(&self, ctx: &Context<'_>, task: Uuid) -> Result<&[Risk], FieldError> {
        let load = || async {
            let request = ctx.request();
            let mut counted = request.share().hold(0)?;
            let tasks = request.services().tasks_read(&self.viewer)?;
            let parts = tasks.risks(&self.tasks, |part| counted.add(part.memory_size())).await?;
            Ok(LoadedParts { parts, _counted: counted })
        };
        let loaded = self.risks.get_or_init(load).await.as_ref().map(|loaded| &loaded.parts);
        Ok(of_task(ctx, loaded, task)?.map_or(&[], Vec::as_slice))
    }

    /// The files of a task in order. Errors: as [`Self::checklist`].
    pub async fn files(&self, ctx: &Context<'_>, task: Uuid) -> Result<&[FileChange], FieldError> {
        let load = || async {
            let request = ctx.request();
            let mut counted = request.share().hold(0)?;
            let tasks = request.services().tasks_read(&self.viewer)?;
            let parts = tasks.files(&self.tasks, |part| counted.add(part.memory_size())).await?;
            Ok(LoadedParts { parts, _counted: counted })
        };
        let loaded = self.files.get_or_init(load).await.as_ref().map(|loaded| &loaded.parts);
        Ok(of_task(ctx, loaded, task)?.map_or(&[], Vec::as_slice))
    }
}

/// The parts of one task, or the error of the load at the path of the current field.
fn of_task<'a, T>(
    ctx: &Context<'_>,
    loaded: Result<&'a ByTask<T>, &Error>,
    task: Uuid,
) -> Result<Option<&'a T>, FieldError> {
    match loaded {
        Ok(parts) => Ok(parts.get(&task)),
        Err(error) => Err(FieldError::at_path(ctx, Error::clone(error))),
    }
}
