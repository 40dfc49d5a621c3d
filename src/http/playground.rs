//! A page to try the API in: complete, offline, under a policy that lets nothing else in.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page itself.
pub fn page() -> Response {
    let html = include_str!("playground/index.html");
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, html).into_response()
}

/// The script, the style and the schema that the page asks for.
pub(super) fn assets(introspection: bool) -> Router<super::State> {
    let asset = |media_type: &'static str, text: &'static str| {
        get(move || async move { ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-cache")], text) })
    };
    let script = asset("text/javascript; charset=utf-8", include_str!("playground/playground.js"));
    let style = asset("text/css; charset=utf-8", include_str!("playground/playground.css"));
    let schema = asset("text/plain; charset=utf-8", include_str!("../../schema.graphql"));
    let page =
        Router::new().route("/playground/playground.js", script).route("/playground/playground.css", style);
    // Who does not answer questions about the schema does not hand it out either.
    if introspection { page.route("/playground/schema.graphql", schema) } else { page }
}
