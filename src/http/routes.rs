//! The paths and their handlers. The path of the endpoint for GraphQL, which nearly every request has, is
//! compared first; the router of axum has the others.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::ServerError;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::FutureExt;
use tower_service::Service;

use crate::graphql::{ErrorCode, panic_error, request_error};
use crate::http::graphql::response_format::ResponseFormat;
use crate::http::request_log::RequestId;
use crate::http::server::Malformed;
use crate::http::shared::{GRAPHQL_PATH, Shared};
use crate::http::{account_pages, graphql, health, playground, task_documents};

/// The handlers of all paths.
#[derive(Clone)]
pub struct Routes {
    shared: Arc<Shared>,
    others: Router,
}

impl Routes {
    pub fn new(shared: Arc<Shared>) -> Self {
        let mut others = Router::new()
            // The redirect is relative, since a proxy may serve the instance under another path.
            .route("/", get(|| async { Redirect::temporary("graphql") }))
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .merge(task_documents::routes());
        if shared.playground {
            others = others.merge(playground::assets());
        }
        if shared.account_pages {
            others = others.merge(account_pages::routes());
        }
        let others = others.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
        Self { others: others.with_state(shared.clone()), shared }
    }

    /// Refuses malformed requests, and responds with an error when a handler panics. The message of the panic
    /// is not sent, since it can contain text of the request.
    pub async fn respond(&self, request: Request) -> Response {
        let id = RequestId::in_extensions(request.extensions());
        if let Some(Malformed(reason)) = request.extensions().get() {
            return error_response(
                StatusCode::BAD_REQUEST,
                request_error(ErrorCode::BadRequest, *reason),
                id,
            );
        }
        let response = AssertUnwindSafe(self.route(request, &id)).catch_unwind().await;
        response.unwrap_or_else(|_| {
            tracing::error!(request_id = id.0, "a request panicked");
            error_response(StatusCode::INTERNAL_SERVER_ERROR, panic_error(), id)
        })
    }

    async fn route(&self, request: Request, id: &RequestId) -> Response {
        match request.uri().path() {
            GRAPHQL_PATH => graphql::handle(&self.shared, id, request).await,
            "/graphql/" => self.with_slash(id, request).await,
            _ => self.others.clone().call(request).await.unwrap_or_else(|never| match never {}),
        }
    }

    /// Handles /graphql/ like /graphql. The URLs in the playground are relative to the path without the slash,
    /// so a request for the playground is redirected.
    async fn with_slash(&self, id: &RequestId, request: Request) -> Response {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let response = graphql::handle(&self.shared, id, request).await;
        if playground::is_page(&response) {
            Redirect::temporary(&format!("../graphql{query}")).into_response()
        } else {
            response
        }
    }
}

/// Responds to a request for an unknown path.
async fn not_found(Extension(id): Extension<RequestId>) -> Response {
    error_response(StatusCode::NOT_FOUND, request_error(ErrorCode::NotFound, "This path does not exist."), id)
}

/// Responds to a method that the path does not support.
async fn method_not_allowed(Extension(id): Extension<RequestId>) -> Response {
    let error = request_error(ErrorCode::BadRequest, "This path does not support this method.");
    error_response(StatusCode::METHOD_NOT_ALLOWED, error, id)
}

fn error_response(status: StatusCode, mut error: ServerError, RequestId(request_id): RequestId) -> Response {
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("status", i32::from(status.as_u16()));
    extensions.set("requestId", request_id);
    ResponseFormat::Json.refuse(status, vec![error])
}
