//! The mutations of task parts: checklist items, risks and files.

use async_graphql::{Context, ID, Object};

use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::scalar::{parse_id, parse_optional_id};
use crate::api::task_part::input::{
    ChecklistItemInput, FileChangeInput, RiskInput, UpdateChecklistItemInput, UpdateRiskInput,
};
use crate::api::task_part::payload::{ChecklistItemPayload, FileChangePayload, RemovePayload, RiskPayload};
use crate::domain::{Error, Faults, Result};
use crate::service::ItemPosition;

/// The fields of Mutation for task parts.
#[derive(Default)]
pub struct PartMutation;

#[Object]
impl PartMutation {
    /// Adds a checklist item: before the given sibling, or else at the end of its section or of its parent's
    /// sub-items.
    async fn add_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] task_id: ID,
        #[graphql(desc = "The new checklist item, with its sub-items.")] input: ChecklistItemInput,
        #[graphql(desc = "The id of the ACTION item that becomes the parent; by default none.")]
        parent_id: Option<ID>,
        #[graphql(desc = "The id of the sibling before which the item is inserted.")] before: Option<ID>,
    ) -> Nullable<ChecklistItemPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let is_top_level = parent_id.is_none();
            let (task_id, (input, (parent, before))) = Error::zip(
                parse_id("taskId", &task_id),
                Error::zip(
                    parse_input(|faults| input.parse(faults, is_top_level)),
                    Error::zip(
                        parse_optional_id("parentId", parent_id.as_ref()),
                        parse_optional_id("before", before.as_ref()),
                    ),
                ),
            )?;
            let added = tasks.add_item(task_id, &input, ItemPosition { parent, before }).await?;
            Ok(ChecklistItemPayload::new(added, request.authenticated_viewer()?))
        })
        .await
    }

    /// Changes the text of a checklist item, or whether it is done.
    async fn update_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the checklist item.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateChecklistItemInput,
    ) -> Nullable<ChecklistItemPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let (id, edit) = Error::zip(parse_id("id", &id), input.parse())?;
            let edited = tasks.edit_item(id, &edit).await?;
            Ok(ChecklistItemPayload::new(edited, request.authenticated_viewer()?))
        })
        .await
    }

    /// Moves a checklist item before the given sibling, or else to the end of its section or of its parent's
    /// sub-items.
    async fn move_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the checklist item.")] id: ID,
        #[graphql(desc = "The id of the sibling before which the item is moved.")] before: Option<ID>,
    ) -> Nullable<ChecklistItemPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let before = parse_optional_id("before", before.as_ref());
            let (id, before) = Error::zip(parse_id("id", &id), before)?;
            let moved = tasks.move_item(id, before).await?;
            Ok(ChecklistItemPayload::new(moved, request.authenticated_viewer()?))
        })
        .await
    }

    /// Removes a checklist item with its sub-items.
    async fn remove_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the checklist item.")] id: ID,
    ) -> Nullable<RemovePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let id = parse_id("id", &id)?;
            Ok(RemovePayload::new(id, tasks.remove_item(id).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Adds a risk after the existing risks of a task.
    async fn add_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] task_id: ID,
        #[graphql(desc = "The new risk.")] input: RiskInput,
    ) -> Nullable<RiskPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let input = parse_input(|faults| input.parse(faults));
            let (task_id, input) = Error::zip(parse_id("taskId", &task_id), input)?;
            Ok(RiskPayload::new(tasks.add_risk(task_id, &input).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Changes a risk.
    async fn update_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the risk.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateRiskInput,
    ) -> Nullable<RiskPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let (id, edit) = Error::zip(parse_id("id", &id), input.parse())?;
            Ok(RiskPayload::new(tasks.edit_risk(id, &edit).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Removes a risk.
    async fn remove_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the risk.")] id: ID,
    ) -> Nullable<RemovePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let id = parse_id("id", &id)?;
            Ok(RemovePayload::new(id, tasks.remove_risk(id).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Adds a file after the existing files of a task.
    async fn add_file_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] task_id: ID,
        #[graphql(desc = "The new file.")] input: FileChangeInput,
    ) -> Nullable<FileChangePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let input = parse_input(|faults| input.parse(faults));
            let (task_id, input) = Error::zip(parse_id("taskId", &task_id), input)?;
            Ok(FileChangePayload::new(
                tasks.add_file(task_id, &input).await?,
                request.authenticated_viewer()?,
            ))
        })
        .await
    }

    /// Removes a file from a task.
    async fn remove_file_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the file.")] id: ID,
    ) -> Nullable<RemovePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks_write().await?;
            let id = parse_id("id", &id)?;
            Ok(RemovePayload::new(id, tasks.remove_file(id).await?, request.authenticated_viewer()?))
        })
        .await
    }
}

/// Parses the argument `input` of a mutation. Errors: Invalid.
fn parse_input<T>(parse: impl FnOnce(&mut Faults) -> Option<T>) -> Result<T> {
    let mut faults = Faults::of("input");
    let parsed = parse(&mut faults);
    faults.finish(parsed)
}
