//! Claims: time-limited reservations of tasks for workers.

use std::collections::HashSet;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::{Instant, Problem, Result, Rule, text};

/// The longest time for which a claim can be made or renewed, in seconds.
pub const MAX_CLAIM_SECONDS: i32 = 86_400;
/// The maximum length of the name of a worker, in characters.
const MAX_WORKER: usize = 100;

/// A reservation of one task, and of the files that it names, for one worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub task_id: Uuid,
    /// The name of the worker, as the client gave it.
    pub worker: String,
    /// The paths that the task named when it was claimed.
    pub paths: Vec<String>,
    pub claimed_at: Instant,
    pub expires_at: Instant,
    /// When completeClaim ended the claim.
    pub completed_at: Option<Instant>,
}

/// A request for a claim of the next task of a list.
#[derive(Clone, Debug)]
pub struct NewClaim {
    pub list_id: Uuid,
    pub worker: String,
    /// Chosen by the client, so that a repeated request makes no second claim.
    pub id: Option<Uuid>,
    pub duration: TimeDelta,
    /// Only tasks of one of these stories are considered; None: of all.
    pub stories: Option<HashSet<String>>,
    /// Only tasks with one of these keys are considered; None: with all.
    pub keys: Option<HashSet<String>>,
}

/// The result of a request for a claim.
#[derive(Clone, Debug)]
pub enum NextClaim {
    Made(Claim),
    /// No task can be claimed now. `retry_at` is the first expiry of the live claims of the list.
    Refused {
        reason: NoClaimReason,
        retry_at: Option<Instant>,
    },
}

/// Why no task can be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoClaimReason {
    Done,
    Waiting,
    FilesBusy,
}

/// The name of a worker: 1 to 100 characters.
pub fn parse_worker(raw: &str) -> Result<String, Problem> {
    text::non_empty(raw, MAX_WORKER)
}

/// The duration of a claim: 1 to 86,400 seconds.
pub fn parse_claim_seconds(seconds: i32) -> Result<TimeDelta, Problem> {
    match seconds {
        1..=MAX_CLAIM_SECONDS => Ok(TimeDelta::seconds(seconds.into())),
        _ => Err(Problem::new(Rule::OutOfRange, format!("must be from 1 to {MAX_CLAIM_SECONDS}"))),
    }
}
