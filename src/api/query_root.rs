//! The root of reading, with a limit on how many of its fields run at once.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};

use crate::api::context::RequestExt;
use crate::api::query::Query;

/// [`Query`], whose fields wait for their turn in a request that has many. A field keeps its turn until
/// everything below it has been resolved.
pub struct QueryRoot(pub Query);

impl OutputType for QueryRoot {
    fn type_name() -> Cow<'static, str> {
        Query::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Query::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ContainerType for QueryRoot {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let _turn = match ctx.request().root_fields() {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        self.0.resolve_field(ctx).await
    }
}

impl ObjectType for QueryRoot {}
