//! The pages that the links of mails lead to, so that they work without a front end: one sets a new password,
//! the other verifies an e-mail address. The token is in the fragment of the link, which browsers do not send,
//! so the pages are the same for every request. Their URLs are relative, for proxies that serve a path prefix.

use std::sync::Arc;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::Redirect;
use axum::routing::get;

use crate::http::shared::Shared;

/// The operations that the pages send, as a manifest of trusted documents.
pub const OPERATIONS: &str = include_str!("operations.json");

/// The script begins with the operations. JSON is also an expression of JavaScript.
const SCRIPT: &str = concat!("const OPERATIONS = ", include_str!("operations.json"), include_str!("page.js"));

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of the pages, of their script and of their style.
pub(super) fn routes() -> Router<Arc<Shared>> {
    const HTML: &str = "text/html; charset=utf-8";
    let files = [
        ("reset-password", HTML, include_str!("reset-password.html")),
        ("verify-email", HTML, include_str!("verify-email.html")),
        ("page.js", "text/javascript; charset=utf-8", SCRIPT),
        ("page.css", "text/css; charset=utf-8", include_str!("page.css")),
    ];
    files.into_iter().fold(Router::new(), |routes, (name, media_type, text)| {
        let headers = [
            (CONTENT_TYPE, media_type),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
            (CACHE_CONTROL, "no-store"),
        ];
        let path = format!("/account/{name}");
        // The relative URLs would be wrong below a path that ends in a slash.
        let to_path = get(move || async move { Redirect::temporary(&format!("../{name}")) });
        routes.route(&format!("{path}/"), to_path).route(&path, get(move || async move { (headers, text) }))
    })
}
