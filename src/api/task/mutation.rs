//! Writing about tasks.

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

#[derive(Default)]
pub struct TaskMutation;

#[Object]
impl TaskMutation {
    /// Make a task.
    async fn create_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task.")] input: CreateTaskInput,
    ) -> Nullable<CreateTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let task = request.tasks().await?.create(input.parse()?).await?;
            Ok(CreateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Change some fields of a task.
    async fn update_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateTaskInput,
        #[graphql(desc = "CONFLICT when the task has moved on; the error carries currentVersion.")]
        expected_version: Option<i32>,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || input.parse(), expected_version)).await
    }

    /// Change a task to hold just what is given.
    async fn replace_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
        #[graphql(desc = "The whole task.")] input: ReplaceTaskInput,
        #[graphql(desc = "CONFLICT when the task has moved on; the error carries currentVersion.")]
        expected_version: Option<i32>,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let (id, new) = Error::zip(parse_id("id", &id), input.parse())?;
            let task = tasks.replace(id, &new, expected_version).await?;
            Ok(UpdateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Set the status to COMPLETED. Idempotent.
    async fn complete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || Ok(StatusChange::To(TaskStatus::Completed).into()), None)).await
    }

    /// Idempotent: COMPLETED becomes PENDING, anything else stays.
    async fn reopen_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || Ok(StatusChange::Reopen.into()), None)).await
    }

    /// COMPLETED becomes PENDING, anything else becomes COMPLETED.
    async fn toggle_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
        #[graphql(desc = "CONFLICT when the task has moved on; the error carries currentVersion.")]
        expected_version: Option<i32>,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(edit(ctx, &id, || Ok(StatusChange::Toggle.into()), expected_version)).await
    }

    /// Into the trash: gone from every query but trash, restorable for 30 days. Deleting it again is
    /// NOT_FOUND.
    async fn delete_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
    ) -> Nullable<DeleteTaskPayload> {
        nullable(async {
            let tasks = ctx.request().tasks().await?;
            let id = parse_id("id", &id)?;
            tasks.delete(id).await?;
            Ok(DeleteTaskPayload { deleted_task_id: id.into() })
        })
        .await
    }

    /// Bring a task back from the trash; one that is not there is given back as it is.
    async fn restore_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let task = request.tasks().await?.restore(parse_id("id", &id)?).await?;
            Ok(UpdateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Make 1 to 100 tasks, all or nothing.
    async fn create_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tasks.")] inputs: Vec<CreateTaskInput>,
    ) -> Nullable<TasksPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let made = tasks.create_all(&CreateTaskInput::parse_all(inputs)?).await?;
            Ok(TasksPayload { tasks: DirectList(TaskNode::all(made, request.authenticated_viewer()?)) })
        })
        .await
    }

    /// Change 1 to 100 tasks alike, all or nothing.
    async fn update_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tasks' ids.")] ids: Vec<ID>,
        #[graphql(desc = "The changes.")] input: UpdateTaskInput,
    ) -> Nullable<TasksPayload> {
        nullable(edit_all(ctx, &ids, || input.parse())).await
    }

    /// Set the status of 1 to 100 tasks to COMPLETED, all or nothing.
    async fn complete_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tasks' ids.")] ids: Vec<ID>,
    ) -> Nullable<TasksPayload> {
        nullable(edit_all(ctx, &ids, || Ok(StatusChange::To(TaskStatus::Completed).into()))).await
    }

    /// Move 1 to 100 tasks into the trash, all or nothing.
    async fn delete_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tasks' ids.")] ids: Vec<ID>,
    ) -> Nullable<DeleteTasksPayload> {
        nullable(async {
            let tasks = ctx.request().tasks().await?;
            let ids = parse_bulk_ids(&ids)?;
            tasks.delete_all(&ids).await?;
            Ok(DeleteTasksPayload { deleted_task_ids: ids.ids().map(Into::into).collect() })
        })
        .await
    }
}

/// Changes one of the viewer's tasks. Faults of the id and of the input are told together.
async fn edit(
    ctx: &Context<'_>,
    id: &ID,
    parse: impl FnOnce() -> Result<TaskEdit>,
    expected_version: Option<i32>,
) -> Result<UpdateTaskPayload> {
    let request = ctx.request();
    let tasks = request.tasks().await?;
    let (id, edit) = Error::zip(parse_id("id", id), parse())?;
    let task = tasks.edit(id, &edit, expected_version).await?;
    Ok(UpdateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
}

/// Changes several of the viewer's tasks alike.
async fn edit_all(
    ctx: &Context<'_>,
    ids: &[ID],
    parse: impl FnOnce() -> Result<TaskEdit>,
) -> Result<TasksPayload> {
    let request = ctx.request();
    let tasks = request.tasks().await?;
    let (ids, edit) = Error::zip(parse_bulk_ids(ids), parse())?;
    let tasks = tasks.edit_all(&ids, &edit).await?;
    Ok(TasksPayload { tasks: DirectList(TaskNode::all(tasks, request.authenticated_viewer()?)) })
}
