//! The mutations of dependencies.

use async_graphql::{Context, ID, Object, SimpleObject};
use uuid::Uuid;

use crate::api::context::{Nullable, RequestContext, RequestExt, nullable};
use crate::api::scalar::parse_id;
use crate::api::task::TaskNode;
use crate::domain::{Error, Result, Task};

/// The two tasks of a dependency, after it was added or removed.
#[derive(SimpleObject)]
struct DependencyPayload {
    /// The task that waits.
    task: TaskNode,
    /// The task for which it waits.
    blocked_by: TaskNode,
}

impl DependencyPayload {
    fn new(request: &RequestContext, (task, blocked_by): (Task, Task)) -> Result<Self> {
        let viewer = request.authenticated_viewer()?;
        Ok(Self { task: TaskNode::new(task, viewer), blocked_by: TaskNode::new(blocked_by, viewer) })
    }
}

/// The ids of the task that waits and of the one for which it waits. Errors: Invalid with the faults of both.
fn parse_ids(task: &ID, blocked_by: &ID) -> Result<(Uuid, Uuid)> {
    Error::zip(parse_id("taskId", task), parse_id("blockedById", blocked_by))
}

/// The fields of Mutation for dependencies.
#[derive(Default)]
pub struct DependencyMutation;

#[Object]
impl DependencyMutation {
    /// Makes one task wait for another. Both can be any tasks of the viewer, in task lists or not. Adding a dependency
    /// that exists changes nothing. The error is BAD_USER_INPUT if the dependency would complete a cycle.
    async fn add_dependency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task that waits.")] task_id: ID,
        #[graphql(desc = "The id of the task for which it waits.")] blocked_by_id: ID,
    ) -> Nullable<DependencyPayload> {
        nullable(async {
            let request = ctx.request();
            let lists = request.lists_write().await?;
            let (task, blocked_by) = parse_ids(&task_id, &blocked_by_id)?;
            DependencyPayload::new(request, lists.add_dependency(task, blocked_by).await?)
        })
        .await
    }

    /// Removes a dependency that addDependency added. Removing one that does not exist changes nothing. The error is
    /// BAD_USER_INPUT if the document of the list states the dependency.
    async fn remove_dependency(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task that waits.")] task_id: ID,
        #[graphql(desc = "The id of the task for which it waits.")] blocked_by_id: ID,
    ) -> Nullable<DependencyPayload> {
        nullable(async {
            let request = ctx.request();
            let lists = request.lists_write().await?;
            let (task, blocked_by) = parse_ids(&task_id, &blocked_by_id)?;
            DependencyPayload::new(request, lists.remove_dependency(task, blocked_by).await?)
        })
        .await
    }
}
