//! The type TaskList.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, SimpleObject};

use crate::api::account::UserNode;
use crate::api::claim::ClaimNode;
use crate::api::context::{RequestContext, RequestExt};
use crate::api::diagnostic::Diagnostic;
use crate::api::scalar::{DateTime, Id};
use crate::api::task::connection::TaskConnection;
use crate::api::task::filter::{TaskFilter, TaskOrder};
use crate::api::task_list::input::TaskOrdering;
use crate::api::task_list::loader::ListLoader;
use crate::api::task_list::phase::page;
use crate::api::task_list::{PhaseNode, StoryNode};
use crate::api::task_part::Progress;
use crate::auth::Viewer;
use crate::domain::{Claim, PageArguments, Result, TaskList};
use crate::graphql::direct_json::long_text::LongText;
use crate::graphql::error::FieldError;
use crate::service::progress_of;

/// A task list that was imported from a Markdown document. Its tasks are ordinary tasks of the same owner.
#[derive(SimpleObject, Clone)]
#[graphql(name = "TaskList", complex)]
pub struct TaskListNode {
    /// A UUID.
    pub id: Id,
    /// The text of the document's first heading of level 1, without a leading `Tasks:`. It is `Task list` when there
    /// is no such heading.
    title: LongText,
    /// The time at which the list was imported.
    created_at: DateTime,
    /// The time at which the list itself last changed. A change of one of its tasks does not count.
    updated_at: DateTime,
    /// The time at which the list was moved to the trash. Null while it is not there.
    deleted_at: Option<DateTime>,
    /// A number that grows by one with every change of the list itself: a merge, a changed setting, a task created in
    /// the list, deleting and restoring the list. A change of one of its tasks increases only the version of that
    /// task.
    version: i32,
    /// How the order of the tasks in a phase is used.
    ordering: TaskOrdering,
    #[graphql(skip)]
    loader: Arc<ListLoader>,
}

impl TaskListNode {
    /// A list of `viewer`.
    pub fn new(list: TaskList, viewer: &Viewer, request: &RequestContext) -> Self {
        let loader = request.list_loader(list.id, viewer);
        Self::with_loader(list, loader)
    }

    /// The list of a loader. Null when it does not exist any more.
    pub async fn load(ctx: &Context<'_>, loader: Arc<ListLoader>) -> Result<Option<Self>, FieldError> {
        let list = loader.list(ctx).await?.cloned();
        Ok(list.map(|list| Self::with_loader(list, loader)))
    }

    fn with_loader(list: TaskList, loader: Arc<ListLoader>) -> Self {
        let TaskList { id, owner_id: _, title, created_at, updated_at, deleted_at, version, ordering } = list;
        Self {
            id: id.into(),
            title: LongText(title),
            created_at: DateTime(created_at),
            updated_at: DateTime(updated_at),
            deleted_at: deleted_at.map(DateTime),
            version,
            ordering: ordering.into(),
            loader,
        }
    }
}

#[ComplexObject]
impl TaskListNode {
    /// The user to whom the list and all its tasks belong.
    async fn owner(&self, ctx: &Context<'_>) -> Result<UserNode, FieldError> {
        let viewer = self.loader.viewer();
        let user = ctx.request().account_of(viewer).await.map_err(|error| FieldError::at_path(ctx, error))?;
        Ok(UserNode::new(user, viewer))
    }

    /// The list as a Markdown document: the imported document with all changes that were made since. Where nothing
    /// has changed it is byte for byte the imported document. This field costs 500 complexity points.
    async fn markdown(&self, ctx: &Context<'_>) -> Result<LongText, FieldError> {
        Ok(LongText(self.loader.export(ctx).await?.markdown.clone()))
    }

    /// An identifier of the current content of `markdown`: the first 32 hexadecimal digits of its SHA-256. The HTTP
    /// route /lists/{id}.md sends the same value as its ETag. This field costs 500 complexity points.
    async fn revision(&self, ctx: &Context<'_>) -> Result<&str, FieldError> {
        Ok(&self.loader.export(ctx).await?.revision)
    }

    /// The phases, in the order of the document.
    async fn phases(&self, ctx: &Context<'_>) -> Result<Vec<PhaseNode>, FieldError> {
        PhaseNode::all(ctx, &self.loader).await
    }

    /// The user stories, in the order of their phases. Stories that no phase heading names come last.
    async fn stories(&self, ctx: &Context<'_>) -> Result<Vec<StoryNode>, FieldError> {
        StoryNode::all(ctx, &self.loader).await
    }

    /// The tasks of the list, in the order of the document unless orderBy says otherwise.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of tasks from the start of the list: 1 to 100, by default 20.")]
        first: Option<i32>,
        #[graphql(desc = "Selects only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of tasks from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only tasks before this cursor.")] before: Option<String>,
        #[graphql(desc = "Selects only tasks that match this filter.")] filter: Option<TaskFilter>,
        #[graphql(desc = "Up to 3 keys, the most significant first. By default, the order of the document.")]
        order_by: Option<Vec<TaskOrder>>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        let load = async {
            let tasks = ctx.request().services().tasks_read(self.loader.viewer())?;
            TaskConnection::load(ctx, &tasks, paging, (filter, order_by), Some(self.id.0)).await
        };
        load.await.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// The tasks of the list that are ready, in the order of the document. This field costs 20 complexity points.
    async fn ready_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of tasks from the start: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "Selects only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of tasks from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only tasks before this cursor.")] before: Option<String>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        let ready = self.loader.waiting().waiting(ctx).await?.ready_of(self.id.0);
        page(ctx, &self.loader, paging, &ready).await
    }

    /// The live claims of the list's tasks, oldest first.
    async fn claims(&self, ctx: &Context<'_>) -> Result<Vec<ClaimNode>, FieldError> {
        let (claims, viewer) = (self.loader.claims(ctx).await?, self.loader.viewer());
        let node = |claim: &Claim| ClaimNode::new(claim.clone(), viewer, ctx.request());
        let nodes: Result<Vec<ClaimNode>> = claims.iter().map(node).collect();
        nodes.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// How many of the list's tasks are COMPLETED.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Progress, FieldError> {
        Ok(progress_of(&self.loader.outline(ctx).await?.all()).into())
    }

    /// The diagnostics of the document that `markdown` returns. This field costs 500 complexity points.
    async fn diagnostics(&self, ctx: &Context<'_>) -> Result<Vec<Diagnostic>, FieldError> {
        Ok(Diagnostic::all(self.loader.export(ctx).await?.diagnostics.clone()))
    }
}
