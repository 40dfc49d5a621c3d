//! The payloads of the mutations of claims.

use async_graphql::{Enum, SimpleObject};

use crate::api::claim::ClaimNode;
use crate::api::scalar::{DateTime, Id};
use crate::api::task::TaskNode;
use crate::domain;

/// The result of claimNextTask: a claim, or the reason why no task can be claimed now.
#[derive(SimpleObject)]
pub struct ClaimNextTaskPayload {
    /// The new claim. Null when no task can be claimed now.
    pub claim: Option<ClaimNode>,
    /// The reason why no task can be claimed. Null when there is a claim.
    pub reason: Option<NoClaimReason>,
    /// The time at which the first live claim of the list expires. Null when `claim` is set, and when the list has no
    /// live claim.
    pub retry_at: Option<DateTime>,
}

/// Why no task can be claimed. Only the tasks that the input's `stories` and `keys` allow are considered.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::NoClaimReason")]
pub enum NoClaimReason {
    /// All considered tasks are COMPLETED, or there are none.
    Done,
    /// No considered task is ready: the tasks that are not COMPLETED wait for others, are claimed, IN_PROGRESS or
    /// BLOCKED.
    Waiting,
    /// At least one considered task is ready, but each of these names a file that a live claim holds.
    FilesBusy,
}

/// A claim after a change.
#[derive(SimpleObject)]
pub struct ClaimPayload {
    /// The claim.
    pub claim: ClaimNode,
}

/// The result of releasing a claim.
#[derive(SimpleObject)]
pub struct ReleaseClaimPayload {
    /// The id of the released claim.
    pub released_claim_id: Id,
    /// The task of the claim.
    pub task: TaskNode,
}
