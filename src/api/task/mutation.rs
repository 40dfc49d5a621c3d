//! The mutations of tasks.

use async_graphql::{Context, ID, Object};

use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::scalar::{parse_bulk_ids, parse_id};
use crate::api::task::TaskNode;
use crate::api::task::input::{CreateTaskInput, ReplaceTaskInput, UpdateTaskInput};
use crate::api::task::payload::{
    CreateTaskPayload, DeleteTaskPayload, DeleteTasksPayload, TasksPayload, UpdateTaskPayload,
};
use crate::domain::{Error, Result, StatusChange, TaskEdit, TaskStatus};
use crate::graphql::direct_json::{DirectList, DirectObject};

/// The fields of Mutation for tasks.
#[derive(Default)]
pub struct TaskMutation;

#[Object]
impl TaskMutation {
    /// Creates a task.
    async fn create_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new task.")] input: CreateTaskInput,
    ) -> Nullable<CreateTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let task = request.tasks_write().await?.create(input.parse()?).await?;
            Ok(CreateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Changes some fields of a task.
    async fn update_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateTaskInput,
        #[graphql(
            desc = "The version that the task must have. Otherwise the error is CONFLICT with currentVersion."
        )]
        expected_version: Option<i32>,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || input.parse(), expected_version)).await
    }

    /// Replaces the whole content of a task.
    async fn replace_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
        #[graphql(desc = "The new content of the task.")] input: ReplaceTaskInput,
        #[graphql(
            desc = "The version that the task must have. Otherwise the error is CONFLICT with currentVersion."
        )]
        expected_version: Option<i32>,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let (id, new) = Error::zip(parse_id("id", &id), input.parse())?;
            let task = tasks.replace(id, &new, expected_version).await?;
            Ok(UpdateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Sets the status to COMPLETED. Idempotent.
    async fn complete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || Ok(StatusChange::To(TaskStatus::Completed).into()), None)).await
    }

    /// Changes the status COMPLETED to PENDING. Any other status does not change. Idempotent.
    async fn reopen_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || Ok(StatusChange::Reopen.into()), None)).await
    }

    /// Changes the status COMPLETED to PENDING, and any other status to COMPLETED.
    async fn toggle_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
        #[graphql(
            desc = "The version that the task must have. Otherwise the error is CONFLICT with currentVersion."
        )]
        expected_version: Option<i32>,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || Ok(StatusChange::Toggle.into()), expected_version)).await
    }

    /// Moves a task to the trash. For 30 days, the query trash returns it and restoreTask can restore it.
    /// Error NOT_FOUND when the task is in the trash already.
    async fn delete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
    ) -> Nullable<DeleteTaskPayload> {
        nullable(async {
            let tasks = ctx.request().tasks_write().await?;
            let id = parse_id("id", &id)?;
            tasks.delete(id).await?;
            Ok(DeleteTaskPayload { deleted_task_id: id.into() })
        })
        .await
    }

    /// Restores a task from the trash. A task that is not in the trash is returned without a change.
    async fn restore_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let task = request.tasks_write().await?.restore(parse_id("id", &id)?).await?;
            Ok(UpdateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Creates 1 to 100 tasks: all of them, or none if one has an error.
    async fn create_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new tasks.")] inputs: Vec<CreateTaskInput>,
    ) -> Nullable<TasksPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let created = tasks.create_all(&CreateTaskInput::parse_all(inputs)?).await?;
            Ok(TasksPayload { tasks: DirectList(TaskNode::all(created, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Makes the same changes to 1 to 100 tasks: to all of them, or to none if one has an error.
    async fn update_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids of the tasks.")] ids: Vec<ID>,
        #[graphql(desc = "The changes.")] input: UpdateTaskInput,
    ) -> Nullable<TasksPayload> {
        nullable(edit_all(ctx, &ids, || input.parse())).await
    }

    /// Sets the status of 1 to 100 tasks to COMPLETED: of all of them, or of none if one has an error.
    async fn complete_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids of the tasks.")] ids: Vec<ID>,
    ) -> Nullable<TasksPayload> {
        nullable(edit_all(ctx, &ids, || Ok(StatusChange::To(TaskStatus::Completed).into()))).await
    }

    /// Moves 1 to 100 tasks to the trash: all of them, or none if one has an error.
    async fn delete_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids of the tasks.")] ids: Vec<ID>,
    ) -> Nullable<DeleteTasksPayload> {
        nullable(async {
            let tasks = ctx.request().tasks_write().await?;
            let ids = parse_bulk_ids(&ids)?;
            tasks.delete_all(&ids).await?;
            Ok(DeleteTasksPayload { deleted_task_ids: ids.ids().map(Into::into).collect() })
        })
        .await
    }
}

/// Changes one task of the viewer. Faults of the id and of the input are reported together.
async fn edit(
    ctx: &Context<'_>,
    id: &ID,
    parse: impl FnOnce() -> Result<TaskEdit>,
    expected_version: Option<i32>,
) -> Result<UpdateTaskPayload> {
    let request = ctx.request();
    let tasks = request.tasks_write().await?;
    let (id, edit) = Error::zip(parse_id("id", id), parse())?;
    let task = tasks.edit(id, &edit, expected_version).await?;
    Ok(UpdateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
}

/// Makes the same change to several tasks of the viewer.
async fn edit_all(
    ctx: &Context<'_>,
    ids: &[ID],
    parse: impl FnOnce() -> Result<TaskEdit>,
) -> Result<TasksPayload> {
    let request = ctx.request();
    let tasks = request.tasks_write().await?;
    let (ids, edit) = Error::zip(parse_bulk_ids(ids), parse())?;
    let tasks = tasks.edit_all(&ids, &edit).await?;
    Ok(TasksPayload { tasks: DirectList(TaskNode::all(tasks, request.authenticated_viewer()?)) })
}
