//! An operation that has been checked and can be executed.

use std::mem::take;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Name, Value, Variables};

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

    /// Takes the values of the variables out of a subscription, which waits for a long time: as a list, since a tree
    /// takes a KiB for a single value.
    pub fn take_variables(&mut self) -> Box<[(Name, Value)]> {
        take(&mut *self.variables).into_iter().collect()
    }

    /// The same operation with these values of its variables.
    pub fn with_variables(&self, values: &[(Name, Value)]) -> Self {
        let mut operation = self.clone();
        operation.variables.extend(values.iter().cloned());
        operation
    }

    /// What the log may contain of it.
    pub fn summary(&self) -> &OperationSummary {
        &self.summary
    }
}
