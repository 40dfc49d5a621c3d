//! Loads what tasks wait for: once for a request and a list, or for the tasks of a page that belong to no list.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::auth::Viewer;
use crate::domain::{Error, Result};
use crate::graphql::ResponseShare;
use crate::graphql::error::FieldError;
use crate::graphql::response_budget::CountedBytes;
use crate::service::{Services, WaitingSeeds, WaitingTasks};

/// What the tasks of a list, or of a page, wait for.
pub struct WaitingLoader {
    seeds: WaitingSeeds,
    viewer: Viewer,
    services: Arc<Services>,
    share: Arc<ResponseShare>,
    waiting: OnceCell<Result<Counted>>,
    added_blocks: OnceCell<Result<HashMap<Uuid, Vec<Uuid>>>>,
}

struct Counted {
    waiting: WaitingTasks,
    /// Counts the memory of the tasks until the response is complete.
    _counted: CountedBytes,
}

impl WaitingLoader {
    /// A loader for tasks of `viewer`, for a response with this share of the response budget.
    pub fn new(
        seeds: WaitingSeeds,
        viewer: &Viewer,
        services: &Arc<Services>,
        share: &Arc<ResponseShare>,
    ) -> Self {
        Self {
            seeds,
            viewer: viewer.clone(),
            services: services.clone(),
            share: share.clone(),
            waiting: OnceCell::new(),
            added_blocks: OnceCell::new(),
        }
    }

    /// What the tasks wait for. Errors: those of a statement; Unavailable when the response budget is used up.
    pub async fn waiting(&self, ctx: &Context<'_>) -> Result<&WaitingTasks, FieldError> {
        let load = || async {
            let mut counted = self.share.hold(0)?;
            let lists = self.services.lists_read(&self.viewer)?;
            let waiting = Box::pin(lists.waiting(&self.seeds, |bytes| counted.add(bytes))).await?;
            Ok(Counted { waiting, _counted: counted })
        };
        match self.waiting.get_or_init(load).await {
            Ok(loaded) => Ok(&loaded.waiting),
            Err(error) => Err(FieldError::at_path(ctx, Error::clone(error))),
        }
    }

    /// The ids of the tasks that list `task` in their `blockedBy`. Errors: as [`Self::waiting`].
    pub async fn blocks(&self, ctx: &Context<'_>, task: Uuid) -> Result<Vec<Uuid>, FieldError> {
        let load = || async { self.services.lists_read(&self.viewer)?.added_blocks(&self.seeds).await };
        let waiting = self.waiting(ctx).await?;
        let added = match self.added_blocks.get_or_init(load).await {
            Ok(added) => added.get(&task),
            Err(error) => return Err(FieldError::at_path(ctx, Error::clone(error))),
        };
        // A task in the trash blocks none.
        if !waiting.contains(task) {
            return Ok(Vec::new());
        }
        let mut blocks = waiting.blocks(task);
        blocks.extend(added.into_iter().flatten().filter(|other| !waiting.contains(**other)));
        Ok(blocks)
    }
}
