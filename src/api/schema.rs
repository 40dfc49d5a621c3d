//! The schema: its root types, and its text.

use async_graphql::{SDLExportOptions, Schema, SchemaBuilder};

use crate::api::mutation::Mutation;
use crate::api::query::Query;
use crate::api::subscription_root::SubscriptionRoot;
use crate::graphql::LimitedRoot;

/// The schema with the resolvers.
pub type ApiSchema = Schema<LimitedRoot<Query>, Mutation, SubscriptionRoot>;

/// A builder of the schema.
pub fn builder() -> SchemaBuilder<LimitedRoot<Query>, Mutation, SubscriptionRoot> {
    Schema::build(LimitedRoot(Query), Mutation::default(), SubscriptionRoot)
}

/// The public schema in SDL: the content of schema.graphql.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by();
    builder().finish().sdl_with_options(options)
}
