//! The schema that clients see, and [`Api`], which executes operations on it.

mod account;
mod claim;
mod context;
mod dependency;
mod diagnostic;
mod document_report;
mod document_request;
mod enum_name;
mod event_read;
mod guard_policy;
mod input;
mod memory_size;
mod mutation;
mod operations;
mod query;
mod scalar;
mod schema;
mod server_info;
mod stream;
mod subscription;
mod subscription_root;
mod task;
mod task_document;
mod task_list;
mod task_part;

use std::sync::Arc;

use async_graphql::ValidationMode;

pub use crate::api::diagnostic::DocumentKind;
pub use crate::api::document_report::DocumentReport;
pub use crate::api::document_request::{
    Conditions, DocumentError, DocumentExport, DocumentRequest, Replacement, Revisions, Right,
};
use crate::api::guard_policy::guard_policy;
use crate::api::operations::Operations;
use crate::api::schema::builder;
pub use crate::api::schema::sdl;
pub use crate::api::server_info::StreamLimits;
pub use crate::api::stream::{SessionEnd, StreamRefused, StreamSession};
pub use crate::api::subscription::{Event, Subscription};
use crate::auth::{ClientInfo, Credential, Viewer};
use crate::graphql::guard::{Guard, Limits};
use crate::graphql::{Execution, Executor, ExecutorSettings, GraphqlRequest};
use crate::service::Services;

/// The fields of Query that need no sign-in.
pub const PUBLIC_QUERIES: &[&str] = &["serverInfo"];

/// The outcome of a request.
#[expect(clippy::large_enum_variant, reason = "a box would cost every request an allocation")]
pub enum Started {
    /// A result, and the viewer if the operation needed one.
    Executed(Execution, Option<Viewer>),
    Subscribed(Box<Subscription>),
}

/// The GraphQL API: executes operations of the schema with the services. Clones share one API.
#[derive(Clone)]
pub struct Api {
    operations: Arc<Operations>,
}

impl Api {
    /// Creates the API with these services, and limits of documents and streams. Without introspection, error
    /// messages do not suggest names of the schema either.
    pub fn new(
        services: Arc<Services>,
        limits: Limits,
        streams: StreamLimits,
        settings: ExecutorSettings,
    ) -> Self {
        let build = |mode| {
            let mut builder = builder().data(limits.clone()).data(streams).validation_mode(mode);
            if !settings.introspection {
                builder = builder.disable_introspection().disable_suggestions();
            }
            builder.finish()
        };
        let (schema, prevalidated) = (build(ValidationMode::Strict), build(ValidationMode::Fast));
        let guard = Guard::new(&sdl(), guard_policy(), limits);
        let executor = Executor::new(schema, prevalidated, guard, settings);
        Self { operations: Arc::new(Operations { executor, services }) }
    }

    /// Executes a query or a mutation for a client, or prepares a subscription.
    pub async fn start(
        &self,
        mut request: GraphqlRequest,
        credential: Credential,
        client: ClientInfo,
    ) -> Started {
        let last_event_id = request.last_event_id.take();
        let Operations { executor, services } = &*self.operations;
        let share = executor.response_share(client.counted_address());
        let operation = match executor.prepare(request) {
            Ok(operation) => operation,
            Err(refusal) => return Started::Executed(refusal.into_execution(share), None),
        };
        if operation.is_subscription()
            && let Some(user) = services.sessions().user_of(&credential, &client).await
        {
            // Listening begins before the first read, so that no change between the two is missed.
            let listener = services.listen(user);
            let operations = self.operations.clone();
            let subscription =
                Subscription::new(operations, operation, credential, client, listener, last_event_id);
            return Started::Subscribed(Box::new(subscription));
        }
        // Without a valid token, the field of a subscription reports why.
        let (execution, context) = self.operations.execute(operation, share, credential, client, None).await;
        Started::Executed(execution, context.known_viewer().cloned())
    }

    /// A request about documents of a kind, from a client that presents this credential.
    pub fn document_request(
        &self,
        kind: DocumentKind,
        credential: Credential,
        client: ClientInfo,
    ) -> DocumentRequest {
        DocumentRequest::new(self.operations.clone(), kind, credential, client)
    }

    /// Whether the database accepts writes.
    pub async fn is_ready(&self) -> bool {
        self.operations.services.ready().await.is_ok()
    }

    /// The limits of documents.
    pub fn limits(&self) -> &Limits {
        self.operations.executor.limits()
    }

    /// Waits until all operations have ended and their pending writes are complete.
    pub async fn drain(&self) {
        self.operations.executor.drain().await;
        self.operations.services.finish().await;
    }
}
