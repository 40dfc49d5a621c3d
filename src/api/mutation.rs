//! The root of writing. Every field is nullable, so that one failing among several keeps the results
//! of the others.

use async_graphql::MergedObject;

use crate::api::account::AccountMutation;
use crate::api::task::TaskMutation;
use crate::api::task_part::PartMutation;

/// Writing. Every field is nullable, so that one failing among several keeps the results of the others.
#[derive(MergedObject, Default)]
pub struct Mutation(AccountMutation, TaskMutation, PartMutation);
