//! A query root that limits how many of its fields are resolved concurrently.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};

use crate::graphql::execution_state::ExecutionExt;

/// A query root whose fields wait for a permit in an operation that has many. A field keeps its permit until
/// everything below it has been resolved.
pub struct LimitedRoot<Q>(pub Q);

impl<Q: ObjectType> OutputType for LimitedRoot<Q> {
    fn type_name() -> Cow<'static, str> {
        Q::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Q::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<Q: ObjectType> ContainerType for LimitedRoot<Q> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let _permit = match ctx.execution().root_fields() {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        self.0.resolve_field(ctx).await
    }
}

impl<Q: ObjectType> ObjectType for LimitedRoot<Q> {}
