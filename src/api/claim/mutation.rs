//! The mutations of claims.

use async_graphql::{Context, ID, Object};

use crate::api::claim::ClaimNode;
use crate::api::claim::input::ClaimNextTaskInput;
use crate::api::claim::payload::{ClaimNextTaskPayload, ClaimPayload, ReleaseClaimPayload};
use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::scalar::{DateTime, parse_id};
use crate::api::task::TaskNode;
use crate::api::task::payload::UpdateTaskPayload;
use crate::domain::{Error, Faults, NextClaim, parse_claim_seconds};
use crate::graphql::direct_json::DirectObject;

/// The fields of Mutation for claims.
#[derive(Default)]
pub struct ClaimMutation;

#[Object]
impl ClaimMutation {
    /// Claims the first task of the list, in the order of the document, that is ready and names no file that a live
    /// claim of the list holds. The whole step is atomic: two calls never claim the same task, or two tasks that name
    /// the same file.
    async fn claim_next_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The list, the worker, and which tasks are considered.")] input: ClaimNextTaskInput,
    ) -> Nullable<ClaimNextTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let lists = request.lists_write().await?;
            Ok(match lists.claim_next(&input.parse()?).await? {
                NextClaim::Made(claim) => {
                    let claim = ClaimNode::new(claim, request.authenticated_viewer()?, request)?;
                    ClaimNextTaskPayload { claim: Some(claim), reason: None, retry_at: None }
                }
                NextClaim::Refused { reason, retry_at } => ClaimNextTaskPayload {
                    claim: None,
                    reason: Some(reason.into()),
                    retry_at: retry_at.map(DateTime),
                },
            })
        })
        .await
    }

    /// Extends a live claim. The error is CONFLICT if the claim has ended.
    async fn renew_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the claim.")] id: ID,
        #[graphql(desc = "How long the claim lasts from now on, in seconds: 1 to 86,400.", default = 900)]
        ttl_seconds: i32,
    ) -> Nullable<ClaimPayload> {
        nullable(async {
            let request = ctx.request();
            let lists = request.lists_write().await?;
            let mut faults = Faults::default();
            let duration = faults.check("ttlSeconds", parse_claim_seconds(ttl_seconds));
            let (id, duration) = Error::zip(parse_id("id", &id), faults.finish(duration))?;
            let claim = lists.renew_claim(id, duration).await?;
            Ok(ClaimPayload { claim: ClaimNode::new(claim, request.authenticated_viewer()?, request)? })
        })
        .await
    }

    /// Ends a claim without completing its task. A claim that has already ended stays as it is.
    async fn release_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the claim.")] id: ID,
    ) -> Nullable<ReleaseClaimPayload> {
        nullable(async {
            let request = ctx.request();
            let lists = request.lists_write().await?;
            let id = parse_id("id", &id)?;
            let task = lists.release_claim(id).await?;
            let task = TaskNode::new(task, request.authenticated_viewer()?);
            Ok(ReleaseClaimPayload { released_claim_id: id.into(), task })
        })
        .await
    }

    /// Completes the task of a live claim and ends the claim. The error is CONFLICT if the claim has ended, so that a
    /// worker that is too late cannot complete a task that another worker has taken over. A repeated call returns the
    /// task as it is.
    async fn complete_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the claim.")] id: ID,
    ) -> Nullable<UpdateTaskPayload> {
        nullable(async {
            let request = ctx.request();
            let task = request.lists_write().await?.complete_claim(parse_id("id", &id)?).await?;
            Ok(UpdateTaskPayload { task: DirectObject(TaskNode::new(task, request.authenticated_viewer()?)) })
        })
        .await
    }
}
