//! Relay connections of the viewer's task lists.

use async_graphql::{ComplexObject, Context, SimpleObject};

use crate::api::context::{RequestContext, RequestExt};
use crate::api::task::connection::PageInfo;
use crate::api::task_list::TaskListNode;
use crate::auth::Viewer;
use crate::domain::{CursorKey, OrderKey, PageArguments, PageRequest, Result, TaskList, TaskScope};
use crate::graphql::direct_json::DirectObject;
use crate::graphql::error::FieldError;
use crate::service::TaskLists;

/// A page of task lists.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct TaskListConnection {
    /// The lists of the page, each with its cursor.
    edges: Vec<TaskListEdge>,
    /// The same lists as in `edges`.
    nodes: Vec<TaskListNode>,
    /// Where the page lies among all lists.
    page_info: DirectObject<PageInfo>,
    #[graphql(skip)]
    scope: TaskScope,
    #[graphql(skip)]
    viewer: Viewer,
}

/// A task list on a page.
#[derive(SimpleObject)]
pub struct TaskListEdge {
    /// The opaque cursor of this list.
    cursor: String,
    /// The list.
    node: TaskListNode,
}

impl TaskListConnection {
    /// Checks the arguments and reads a page of the lists in a scope. Errors: Invalid with the faults of all arguments;
    /// those of a statement.
    pub async fn load(
        request: &RequestContext,
        lists: &TaskLists<'_>,
        scope: TaskScope,
        paging: PageArguments,
    ) -> Result<Self> {
        let order = match scope {
            TaskScope::Active => OrderKey::NEWEST_FIRST,
            TaskScope::Trashed => OrderKey::LATEST_DELETION_FIRST,
        };
        let page_request = PageRequest::parse(&paging, &[order])?;
        let page = lists.list(scope, &page_request).await?;
        let cursor = |list: &TaskList| {
            let at = match scope {
                TaskScope::Active => list.created_at,
                TaskScope::Trashed => list.deleted_at.unwrap_or(list.updated_at),
            };
            CursorKey::of_time(order, at, list.id)
        };
        let viewer = lists.tasks().viewer();
        let page_info = PageInfo {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start: page.items.first().map(cursor),
            end: page.items.last().map(cursor),
        };
        let edge = |list: TaskList| TaskListEdge {
            cursor: cursor(&list).encode(),
            node: TaskListNode::new(list, viewer, request),
        };
        let edges: Vec<TaskListEdge> = page.items.into_iter().map(edge).collect();
        let nodes = edges.iter().map(|edge| edge.node.clone()).collect();
        Ok(Self { edges, nodes, page_info: DirectObject(page_info), scope, viewer: viewer.clone() })
    }
}

#[ComplexObject]
impl TaskListConnection {
    /// The number of lists on all pages. It is counted only when it is requested.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, FieldError> {
        let count = async { ctx.request().services().lists_read(&self.viewer)?.count(self.scope).await };
        let count = count.await.map_err(|error| FieldError::at_path(ctx, error))?;
        Ok(count.try_into().unwrap_or(i32::MAX))
    }
}
