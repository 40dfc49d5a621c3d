//! The schema that clients see, and [`Api`], which executes operations on it.

mod account;
mod context;
mod guard_policy;
mod input;
mod memory_size;
mod mutation;
mod query;
mod scalar;
mod server_info;
mod task;
mod task_part;

use std::sync::Arc;

use async_graphql::{EmptySubscription, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

use crate::api::context::RequestContext;
use crate::api::guard_policy::guard_policy;
use crate::api::mutation::Mutation;
use crate::api::query::Query;
use crate::auth::{ClientInfo, Credential, Viewer};
use crate::graphql::guard::{Guard, Limits};
use crate::graphql::{Execution, Executor, ExecutorSettings, GraphqlRequest, LimitedRoot};
use crate::service::Services;

/// The fields of Query that need no sign-in.
pub const PUBLIC_QUERIES: &[&str] = &["serverInfo"];

type ApiSchema = Schema<LimitedRoot<Query>, Mutation, EmptySubscription>;

/// The GraphQL API: executes operations of the schema with the services. Clones share one API.
#[derive(Clone)]
pub struct Api {
    executor: Executor<ApiSchema>,
    services: Arc<Services>,
}

impl Api {
    /// Creates the API with these services and limits of documents. Without introspection, error messages do
    /// not suggest names of the schema either.
    pub fn new(services: Arc<Services>, limits: Limits, settings: ExecutorSettings) -> Self {
        let build = |mode| {
            let mut builder = builder().data(limits.clone()).validation_mode(mode);
            if !settings.introspection {
                builder = builder.disable_introspection().disable_suggestions();
            }
            builder.finish()
        };
        let (schema, prevalidated) = (build(ValidationMode::Strict), build(ValidationMode::Fast));
        let guard = Guard::new(&sdl(), guard_policy(), limits);
        Self { executor: Executor::new(schema, prevalidated, guard, settings), services }
    }

    /// Executes one operation for a client. Also returns the viewer, if the operation needed one.
    pub async fn execute(
        &self,
        request: GraphqlRequest,
        credential: Credential,
        client: ClientInfo,
    ) -> (Execution, Option<Viewer>) {
        let share = self.executor.response_share(client.counted_address());
        let services = self.services.clone();
        let context = Arc::new(RequestContext::new(services, credential, client, share.clone()));
        let execution = self.executor.execute(request, share, context.clone()).await;
        (execution, context.known_viewer().cloned())
    }

    /// Whether the database accepts writes.
    pub async fn is_ready(&self) -> bool {
        self.services.ready().await.is_ok()
    }

    /// The limits of documents.
    pub fn limits(&self) -> &Limits {
        self.executor.limits()
    }

    /// Waits until all operations have ended and their pending writes are complete.
    pub async fn drain(&self) {
        self.executor.drain().await;
        self.services.finish().await;
    }
}

fn builder() -> SchemaBuilder<LimitedRoot<Query>, Mutation, EmptySubscription> {
    Schema::build(LimitedRoot(Query), Mutation::default(), EmptySubscription)
}

/// The public schema in SDL: the content of schema.graphql.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by();
    builder().finish().sdl_with_options(options)
}
