//! An operation that has been checked and can be executed.

use std::sync::Arc;

use async_graphql::Variables;
use async_graphql::parser::types::OperationType;

use crate::graphql::document_cache::PreparedDocument;
use crate::graphql::execution::OperationSummary;

/// An operation with the values of its variables. A subscription is executed several times.
#[derive(Clone)]
pub struct Operation {
    pub(super) document: Arc<PreparedDocument>,
    pub(super) complexity: usize,
    pub(super) ty: OperationType,
    pub(super) name: Option<String>,
    pub(super) variables: Variables,
    pub(super) summary: OperationSummary,
    pub(super) request_id: String,
}

impl Operation {
    /// Whether it is a subscription, so that each of its executions is one event.
    pub fn is_subscription(&self) -> bool {
        self.ty == OperationType::Subscription
    }

    /// What the log may contain of it.
    pub fn summary(&self) -> &OperationSummary {
        &self.summary
    }
}
