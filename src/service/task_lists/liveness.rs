//! Which claims are live.

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, RelationDef};

use crate::db::entity::claim::{Column, Entity};
use crate::db::entity::task;
use crate::domain::{Claim, Instant, StoredEnum, Task, TaskStatus};
use crate::service::task_rows::is_active;

/// The claim that a task names, also one that has ended.
pub(super) fn claim_of_task() -> RelationDef {
    task::Entity::belongs_to(Entity).from(task::Column::ClaimId).to(Column::Id).into()
}

/// Whether a claim that its task names is live at a time. The id of a claim can be given to another one after the first one
/// has been deleted for good. An instance of an earlier version can complete or delete a task without ending its claim.
pub(super) fn is_live(now: Instant) -> SimpleExpr {
    Column::ExpiresAt
        .gt(now)
        .and(Column::TaskId.into_expr().eq(task::Column::Id.into_expr()))
        .and(task::Column::Status.ne(TaskStatus::Completed.name()))
        .and(is_active())
}

/// Whether the claim of a task is live at a time; the same as [`is_live`] for values that have been read.
pub(super) fn is_live_claim(claim: &Claim, task: &Task, now: Instant) -> bool {
    task.entry.as_ref().is_some_and(|entry| entry.claim_id == Some(claim.id))
        && claim.expires_at > now
        && task.status != TaskStatus::Completed
        && task.deleted_at.is_none()
}
