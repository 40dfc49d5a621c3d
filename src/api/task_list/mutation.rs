//! The mutations of task lists.

use async_graphql::{Context, ID, Object};

use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::diagnostic::Diagnostic;
use crate::api::scalar::parse_id;
use crate::api::task_list::TaskListNode;
use crate::api::task_list::input::{ImportTaskListInput, MergeTaskListInput, UpdateTaskListInput};
use crate::api::task_list::merge::MergeTaskListPayload;
use crate::api::task_list::payload::{DeleteTaskListPayload, ImportTaskListPayload, TaskListPayload};
use crate::domain::{Error, PathSegment};

/// The fields of Mutation for task lists.
#[derive(Default)]
pub struct TaskListMutation;

/// The path of a document in an input.
fn markdown_path() -> [PathSegment; 2] {
    ["input".into(), "markdown".into()]
}

#[Object]
impl TaskListMutation {
    /// Creates a task list with its tasks from a list document. No document is refused because of its Markdown.
    async fn import_task_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: ImportTaskListInput,
    ) -> Nullable<ImportTaskListPayload> {
        nullable(async {
            let request = ctx.request();
            let lists = request.lists_write().await?;
            let (id, markdown, ordering) = input.parse(ctx)?;
            let (list, _, diagnostics) = lists.import(id, markdown, ordering, &markdown_path()).await?;
            let task_list = TaskListNode::new(list, request.authenticated_viewer()?, request);
            Ok(ImportTaskListPayload { task_list, diagnostics: Diagnostic::all(diagnostics) })
        })
        .await
    }

    /// Merges a new version of the document into a task list. Changes that were made on the server are kept, and
    /// changes that were made in the document are taken over. A conflict needs a decision. The merge is applied
    /// completely or not at all.
    async fn merge_task_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the list.")] id: ID,
        #[graphql(desc = "The new version of the document, and the decisions about conflicts.")]
        input: MergeTaskListInput,
    ) -> Nullable<MergeTaskListPayload> {
        nullable(async {
            let lists = ctx.request().lists_write().await?;
            let (id, (markdown, decisions)) = Error::zip(parse_id("id", &id), input.parse(ctx))?;
            let merge = lists.merge(id, markdown, &decisions, &markdown_path()).await?;
            MergeTaskListPayload::new(ctx, merge).await
        })
        .await
    }

    /// Changes the settings of a task list.
    async fn update_task_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the list.")] id: ID,
        #[graphql(desc = "The settings to change.")] input: UpdateTaskListInput,
        #[graphql(
            desc = "The version that the list must have. Otherwise the error is CONFLICT, with currentVersion. When it is \
                    left out, any version is accepted."
        )]
        expected_version: Option<i32>,
    ) -> Nullable<TaskListPayload> {
        nullable(async {
            let request = ctx.request();
            let lists = request.lists_write().await?;
            let (id, ordering) = (parse_id("id", &id)?, input.ordering.map(Into::into));
            let list = lists.update(id, ordering, expected_version).await?;
            let task_list = TaskListNode::new(list, request.authenticated_viewer()?, request);
            Ok(TaskListPayload { task_list })
        })
        .await
    }

    /// Moves a task list with all its tasks to the trash. It can be restored for 30 days. Deleting it again is
    /// NOT_FOUND.
    async fn delete_task_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the list.")] id: ID,
    ) -> Nullable<DeleteTaskListPayload> {
        nullable(async {
            let lists = ctx.request().lists_write().await?;
            let id = parse_id("id", &id)?;
            lists.delete(id).await?;
            Ok(DeleteTaskListPayload { deleted_task_list_id: id.into() })
        })
        .await
    }

    /// Restores a task list from the trash, with the tasks that were moved to the trash together with it.
    async fn restore_task_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the list.")] id: ID,
    ) -> Nullable<TaskListPayload> {
        nullable(async {
            let request = ctx.request();
            let list = request.lists_write().await?.restore(parse_id("id", &id)?).await?;
            let task_list = TaskListNode::new(list, request.authenticated_viewer()?, request);
            Ok(TaskListPayload { task_list })
        })
        .await
    }
}
