//! The state that the handlers of all routes share.

use ipnet::IpNet;

use crate::api::Api;
use crate::http::graphql::request_body::BodyMemory;
use crate::http::graphql::stream::Streams;
use crate::http::metrics::Metrics;
use crate::http::readiness::Readiness;

/// The path of the GraphQL endpoint.
pub const GRAPHQL_PATH: &str = "/graphql";

/// The state of the handlers.
pub struct Shared {
    pub api: Api,
    pub readiness: Readiness,
    pub playground: bool,
    pub account_pages: bool,
    /// The origins whose pages may call the API; "*" allows every origin.
    pub cors_origins: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    pub bodies: BodyMemory,
    pub streams: Streams,
    pub metrics: Metrics,
}
