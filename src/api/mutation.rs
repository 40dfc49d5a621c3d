//! The root type of mutations, merged from the mutations of accounts, tasks, their parts and documents.

use async_graphql::MergedObject;

use crate::api::account::{AccountMutation, ApiKeyMutation, RecoveryMutation};
use crate::api::claim::ClaimMutation;
use crate::api::dependency::DependencyMutation;
use crate::api::task::TaskMutation;
use crate::api::task_document::TaskDocumentMutation;
use crate::api::task_list::TaskListMutation;
use crate::api::task_part::PartMutation;

/// Mutations. Every field is nullable, so that an error in one field keeps the results of the others.
#[derive(MergedObject, Default)]
pub struct Mutation(
    AccountMutation,
    RecoveryMutation,
    ApiKeyMutation,
    TaskMutation,
    PartMutation,
    TaskDocumentMutation,
    TaskListMutation,
    DependencyMutation,
    ClaimMutation,
);
