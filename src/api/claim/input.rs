//! The input of claimNextTask.

use std::collections::HashSet;

use async_graphql::{ID, InputObject};

use crate::api::scalar::find_id;
use crate::domain::{
    Faults, MAX_TASKS_PER_LIST, NewClaim, Problem, Result, Rule, parse_claim_seconds, parse_worker,
};

/// The input of claimNextTask.
#[derive(InputObject)]
pub struct ClaimNextTaskInput {
    /// The id of the task list.
    list_id: ID,
    /// A name for the worker, 1 to 100 characters. It is shown to users and has no further meaning.
    worker: String,
    /// A UUID chosen by the client, for safe retries. A second call with the same id returns the claim that the first
    /// call made, even when that claim has ended.
    id: Option<ID>,
    /// How long the claim lasts, in seconds: 1 to 86,400.
    #[graphql(default = 900)]
    ttl_seconds: i32,
    /// Only tasks of one of these stories are considered.
    stories: Option<Vec<String>>,
    /// Only tasks with one of these keys are considered.
    keys: Option<Vec<String>>,
}

impl ClaimNextTaskInput {
    /// The checked input. Errors: Invalid with all faults.
    pub fn parse(self) -> Result<NewClaim> {
        let mut faults = Faults::of("input");
        let is_no_uuid = || Problem::new(Rule::Invalid, "is not a UUID");
        let list_id = faults.check("listId", find_id(&self.list_id).ok_or_else(is_no_uuid));
        let worker = faults.check("worker", parse_worker(&self.worker));
        let id = self.id.map(|id| faults.check("id", find_id(&id).ok_or_else(is_no_uuid)));
        let duration = faults.check("ttlSeconds", parse_claim_seconds(self.ttl_seconds));
        for (name, values) in [("stories", &self.stories), ("keys", &self.keys)] {
            if values.as_ref().is_some_and(|values| values.len() > MAX_TASKS_PER_LIST) {
                let message = format!("may have at most {MAX_TASKS_PER_LIST} items");
                faults.push(name, Problem::new(Rule::TooMany, message));
            }
        }
        let new = list_id.zip(worker).zip(duration).map(|((list_id, worker), duration)| NewClaim {
            list_id,
            worker,
            id: id.flatten(),
            duration,
            stories: self.stories.map(HashSet::from_iter),
            keys: self.keys.map(HashSet::from_iter),
        });
        faults.finish(new)
    }
}
