//! The root of writing. Every field is nullable, so that one failing among several keeps the results
//! of the others.

mod accounts;
mod parts;
mod tasks;

use async_graphql::MergedObject;

/// Writing. Every field is nullable, so that one failing among several keeps the results of the others.
#[derive(MergedObject, Default)]
pub struct Mutation(accounts::AccountMutation, tasks::TaskMutation, parts::PartMutation);
