//! The type Claim.

use async_graphql::{ComplexObject, Context, SimpleObject};
use uuid::Uuid;

use crate::api::context::{RequestContext, RequestExt};
use crate::api::memory_size::MemorySize;
use crate::api::scalar::{DateTime, Id};
use crate::api::task::TaskNode;
use crate::api::task::connection::selected_names;
use crate::auth::Viewer;
use crate::domain::{Claim, Result};
use crate::graphql::error::FieldError;
use crate::service::{TaskColumns, Tasks};

/// A time-limited reservation of one task, and of the files that it names, for one worker. A claim is live until it
/// expires, is released, or its task is completed or moved to the trash.
#[derive(SimpleObject, Clone)]
#[graphql(name = "Claim", complex)]
pub struct ClaimNode {
    /// A UUID.
    pub id: Id,
    /// The name of the worker, as the client gave it.
    worker: String,
    /// The paths that the task named when it was claimed. While the claim is live, no other task of the list that names
    /// one of them can be claimed.
    paths: Vec<String>,
    /// The time at which the claim was made.
    claimed_at: DateTime,
    /// The time at which the claim expires unless it is renewed.
    expires_at: DateTime,
    #[graphql(skip)]
    task_id: Uuid,
    #[graphql(skip)]
    viewer: Viewer,
}

impl ClaimNode {
    /// A claim of `viewer`. Errors: Unavailable when the response budget is used up.
    pub fn new(claim: Claim, viewer: &Viewer, request: &RequestContext) -> Result<Self> {
        let paths = claim.paths.iter().map(|path| path.len() + size_of::<String>());
        request.share().take(size_of::<Self>() + claim.worker.len() + paths.sum::<usize>())?;
        Ok(Self {
            id: claim.id.into(),
            worker: claim.worker,
            paths: claim.paths,
            claimed_at: DateTime(claim.claimed_at),
            expires_at: DateTime(claim.expires_at),
            task_id: claim.task_id,
            viewer: viewer.clone(),
        })
    }
}

#[ComplexObject]
impl ClaimNode {
    /// The claimed task.
    async fn task(&self, ctx: &Context<'_>) -> Result<TaskNode, FieldError> {
        let request = ctx.request();
        let find = async {
            let tasks: Tasks<'_> = request.services().tasks_read(&self.viewer)?;
            let mut found = tasks.find_in_order(std::iter::once(self.task_id)).await?;
            if found.is_empty() {
                // The claim has ended, and its task is in the trash.
                let columns = TaskColumns::shown_by(selected_names(ctx));
                found = tasks.find_any(&[self.task_id], columns).await?;
            }
            // The claim of a task that was deleted for good does not exist.
            let task = found.pop().ok_or(crate::domain::Error::NotFound("There is no such task."))?;
            request.share().take(task.memory_size())?;
            Ok(TaskNode::new(task, &self.viewer))
        };
        find.await.map_err(|error| FieldError::at_path(ctx, error))
    }
}
