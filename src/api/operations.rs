//! Executes operations in the context of a request.

use std::sync::Arc;

use crate::api::context::RequestContext;
use crate::api::event_read::EventRead;
use crate::api::schema::ApiSchema;
use crate::auth::{ClientInfo, Credential};
use crate::graphql::{Execution, Executor, Operation, ResponseShare};
use crate::service::Services;

/// The engine with the schema, and the services that its resolvers call.
pub struct Operations {
    pub executor: Executor<ApiSchema>,
    pub services: Arc<Services>,
}

impl Operations {
    /// Executes an operation, or one event of a subscription. Also returns the context that the resolvers had.
    pub async fn execute(
        &self,
        operation: Operation,
        share: Arc<ResponseShare>,
        credential: Credential,
        client: ClientInfo,
        event: Option<Box<EventRead>>,
    ) -> (Execution, Arc<RequestContext>) {
        let services = self.services.clone();
        let context = Arc::new(RequestContext::new(services, credential, client, share.clone(), event));
        let execution = self.executor.execute(operation, share, context.clone()).await;
        (execution, context)
    }
}
