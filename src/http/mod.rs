//! HTTP: the paths, and what is common to all requests. Only this layer uses axum. GraphQL over HTTP, documents,
//! health, the playground, the account pages and the server that accepts connections are in modules of their own.

mod account_pages;
mod client_ip;
mod cors;
mod entity_tags;
mod graphql;
mod health;
mod metrics;
mod playground;
mod readiness;
mod request_log;
mod routes;
mod server;
mod shared;
mod task_documents;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures_util::future::{BoxFuture, FutureExt};
use ipnet::IpNet;
use tower_service::Service;

pub use account_pages::OPERATIONS as ACCOUNT_PAGE_OPERATIONS;
pub use graphql::stream::StreamSettings;
pub use metrics::{MailNumbers, Metrics};
pub use readiness::Readiness;
pub use server::{ConnectionLimits, Server, listen, serve_metrics};

use crate::api::Api;
use crate::http::graphql::request_body::BodyMemory;
use crate::http::graphql::stream::Streams;
use crate::http::routes::Routes;
use crate::http::shared::Shared;

/// The options of the HTTP layer.
pub struct HttpSettings {
    /// Whether the playground is served.
    pub playground: bool,
    /// Whether the pages for the links of mails are served.
    pub account_pages: bool,
    /// The origins whose pages may call the API; "*" allows every origin.
    pub cors_origins: Vec<String>,
    /// The networks of proxies whose X-Forwarded-For is trusted.
    pub trusted_proxies: Vec<IpNet>,
    pub streams: StreamSettings,
}

/// Responds to the requests of all paths except /metrics, which has its own listener. All clones share their
/// parts. The middleware are functions that call each other: as layers of a router, each would be a boxed
/// future and move the request, which takes a tenth of the time of a short request.
#[derive(Clone)]
pub struct HttpService(Arc<Parts>);

struct Parts {
    metrics: Metrics,
    routes: Routes,
    /// The same routes in a layer that adds the headers of CORS; None when no origin is allowed.
    routes_with_cors: Option<Router>,
}

impl HttpService {
    pub fn new(api: Api, readiness: Readiness, metrics: Metrics, settings: HttpSettings) -> Self {
        let HttpSettings { playground, account_pages, cors_origins, trusted_proxies, streams } = settings;
        let cors = (!cors_origins.is_empty()).then(|| cors::allow(&cors_origins));
        let (bodies, streams) = (BodyMemory::default(), Streams::new(streams));
        let shared_metrics = metrics.clone();
        let routes = Routes::new(Arc::new(Shared {
            api,
            readiness,
            playground,
            account_pages,
            cors_origins,
            trusted_proxies,
            bodies,
            streams,
            metrics: shared_metrics,
        }));
        let routes_with_cors = cors.map(|cors| {
            let routes = routes.clone();
            let respond = |request: Request| async move { routes.respond(request).await };
            Router::new().fallback(respond).layer(cors)
        });
        Self(Arc::new(Parts { metrics, routes, routes_with_cors }))
    }
}

impl Parts {
    async fn respond(&self, request: Request) -> Response {
        match self.routes_with_cors.clone() {
            Some(mut routes) => routes.call(request).await.unwrap_or_else(|never| match never {}),
            None => self.routes.respond(request).await,
        }
    }
}

impl Service<Request> for HttpService {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self(parts) = self.clone();
        let respond = async move {
            Ok(request_log::observe(&parts.metrics, request, |request| parts.respond(request)).await)
        };
        respond.boxed()
    }
}
