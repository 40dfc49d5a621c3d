//! Writing about what is in a task: boxes, risks and files.

use async_graphql::{Context, ID, Object};

use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::scalar::{parse_id, parse_optional_id};
use crate::api::task_part::input::{
    ChecklistItemInput, FileChangeInput, RiskInput, UpdateChecklistItemInput, UpdateRiskInput,
};
use crate::api::task_part::payload::{ChecklistItemPayload, FileChangePayload, RemovePayload, RiskPayload};
use crate::domain::{Error, Faults, Result};
use crate::service::ItemPosition;

#[derive(Default)]
pub struct PartMutation;

#[Object]
impl PartMutation {
    /// At the end of its section, or of its parent's children, unless before names a sibling.
    async fn add_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] task_id: ID,
        #[graphql(desc = "The box, with its steps.")] input: ChecklistItemInput,
        #[graphql(desc = "The ACTION item that it becomes a step of.")] parent_id: Option<ID>,
        #[graphql(desc = "The sibling that it stands before.")] before: Option<ID>,
    ) -> Nullable<ChecklistItemPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let upper = parent_id.is_none();
            let (task_id, (input, (parent, before))) = Error::zip(
                parse_id("taskId", &task_id),
                Error::zip(
                    parse_input(|faults| input.parse(faults, upper)),
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

    /// Change the text of a box, or tick it.
    async fn update_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The box's id.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateChecklistItemInput,
    ) -> Nullable<ChecklistItemPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let (id, edit) = Error::zip(parse_id("id", &id), input.parse())?;
            let edited = tasks.edit_item(id, &edit).await?;
            Ok(ChecklistItemPayload::new(edited, request.authenticated_viewer()?))
        })
        .await
    }

    /// Before the sibling named, or to the end.
    async fn move_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The box's id.")] id: ID,
        #[graphql(desc = "The sibling that it is to stand before.")] before: Option<ID>,
    ) -> Nullable<ChecklistItemPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let before = parse_optional_id("before", before.as_ref());
            let (id, before) = Error::zip(parse_id("id", &id), before)?;
            let moved = tasks.move_item(id, before).await?;
            Ok(ChecklistItemPayload::new(moved, request.authenticated_viewer()?))
        })
        .await
    }

    /// Remove a box with its steps.
    async fn remove_checklist_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The box's id.")] id: ID,
    ) -> Nullable<RemovePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let id = parse_id("id", &id)?;
            Ok(RemovePayload::new(id, tasks.remove_item(id).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Add a risk at the end.
    async fn add_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] task_id: ID,
        #[graphql(desc = "The risk.")] input: RiskInput,
    ) -> Nullable<RiskPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let input = parse_input(|faults| input.parse(faults));
            let (task_id, input) = Error::zip(parse_id("taskId", &task_id), input)?;
            Ok(RiskPayload::new(tasks.add_risk(task_id, &input).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Change a risk.
    async fn update_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The risk's id.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateRiskInput,
    ) -> Nullable<RiskPayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let (id, edit) = Error::zip(parse_id("id", &id), input.parse())?;
            Ok(RiskPayload::new(tasks.edit_risk(id, &edit).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Remove a risk.
    async fn remove_risk(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The risk's id.")] id: ID,
    ) -> Nullable<RemovePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let id = parse_id("id", &id)?;
            Ok(RemovePayload::new(id, tasks.remove_risk(id).await?, request.authenticated_viewer()?))
        })
        .await
    }

    /// Add a file at the end.
    async fn add_file_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] task_id: ID,
        #[graphql(desc = "The file.")] input: FileChangeInput,
    ) -> Nullable<FileChangePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let input = parse_input(|faults| input.parse(faults));
            let (task_id, input) = Error::zip(parse_id("taskId", &task_id), input)?;
            Ok(FileChangePayload::new(
                tasks.add_file(task_id, &input).await?,
                request.authenticated_viewer()?,
            ))
        })
        .await
    }

    /// Remove a file.
    async fn remove_file_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file's id.")] id: ID,
    ) -> Nullable<RemovePayload> {
        nullable(async {
            let request = ctx.request();
            let tasks = request.tasks().await?;
            let id = parse_id("id", &id)?;
            Ok(RemovePayload::new(id, tasks.remove_file(id).await?, request.authenticated_viewer()?))
        })
        .await
    }
}

/// Reads the argument `input` of a part.
fn parse_input<T>(parse: impl FnOnce(&mut Faults) -> Option<T>) -> Result<T> {
    let mut faults = Faults::of("input");
    let parsed = parse(&mut faults);
    faults.finish(parsed)
}
