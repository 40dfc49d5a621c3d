//! The state that the handlers of all routes share.

use ipnet::IpNet;

use crate::api::Api;
use crate::http::graphql::request_body::BodyMemory;
use crate::http::readiness::Readiness;

/// The path of the GraphQL endpoint.
pub const GRAPHQL_PATH: &str = "/graphql";

/// The state of the handlers.
pub struct Shared {
    pub api: Api,
    pub readiness: Readiness,
    pub playground: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub bodies: BodyMemory,
}
