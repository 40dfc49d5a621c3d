//! The playground: GraphiQL as a page without external resources, under a strict Content-Security-Policy. Its
//! sources are in the folder `playground` of the repository; the bundles are embedded here.

use std::io::Read;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::http::shared::Shared;

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Marks the response that contains the page.
#[derive(Clone, Copy)]
struct Page;

/// Whether a response is the page.
pub fn is_page(response: &Response) -> bool {
    response.extensions().get::<Page>().is_some()
}

/// The page. Its URLs are relative, so it also works behind a proxy that serves it under a path prefix.
pub fn page() -> Response {
    let html = include_str!("playground/index.html");
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, Extension(Page), html).into_response()
}

/// The routes of the page's script and style, and of the licences of its parts.
pub(super) fn assets() -> Router<Arc<Shared>> {
    static SCRIPT: GzipAsset =
        GzipAsset::new("text/javascript; charset=utf-8", include_bytes!("playground/playground.js.gz"));
    static STYLE: GzipAsset =
        GzipAsset::new("text/css; charset=utf-8", include_bytes!("playground/playground.css.gz"));
    let licences = ([(CONTENT_TYPE, "text/plain; charset=utf-8")], include_str!("playground/licences.txt"));
    Router::new()
        .route("/playground/playground.js", get(|headers: HeaderMap| async move { SCRIPT.respond(&headers) }))
        .route("/playground/playground.css", get(|headers: HeaderMap| async move { STYLE.respond(&headers) }))
        .route("/playground/licences.txt", get(move || async move { licences }))
}

/// An embedded gzip file, sent compressed to clients that accept gzip.
struct GzipAsset {
    media_type: &'static str,
    gzip: &'static [u8],
    uncompressed: OnceLock<Bytes>,
    tag: OnceLock<String>,
}

impl GzipAsset {
    const fn new(media_type: &'static str, gzip: &'static [u8]) -> Self {
        Self { media_type, gzip, uncompressed: OnceLock::new(), tag: OnceLock::new() }
    }

    /// Responds with the file, or with 304 if the browser's copy is current. Browsers revalidate on each use,
    /// since the file changes with the version of the program.
    fn respond(&self, request: &HeaderMap) -> Response {
        // A weak tag, since both encodings share it.
        let tag = self
            .tag
            .get_or_init(|| format!("W/\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.gzip))));
        let headers: [(HeaderName, &str); 4] = [
            (CONTENT_TYPE, self.media_type),
            (CACHE_CONTROL, "no-cache"),
            (VARY, "accept-encoding"),
            (ETAG, tag.as_str()),
        ];
        if any_item(request, IF_NONE_MATCH, |known| known == tag.as_str()) {
            (StatusCode::NOT_MODIFIED, headers).into_response()
        } else if any_item(request, ACCEPT_ENCODING, accepts_gzip) {
            (headers, [(CONTENT_ENCODING, "gzip")], self.gzip).into_response()
        } else {
            (headers, self.uncompressed().clone()).into_response()
        }
    }

    fn uncompressed(&self) -> &Bytes {
        self.uncompressed.get_or_init(|| {
            let mut plain = Vec::new();
            GzDecoder::new(self.gzip).read_to_end(&mut plain).expect("the embedded file is gzip");
            plain.into()
        })
    }
}

/// Whether one of the comma-separated items of a header passes the test.
fn any_item(headers: &HeaderMap, name: HeaderName, passes: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| passes(item.trim()))
}

/// Whether an item of Accept-Encoding accepts gzip: a weight of 0 refuses it.
fn accepts_gzip(item: &str) -> bool {
    let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
    let weight = weight.trim().to_ascii_lowercase();
    let refused = weight.strip_prefix("q=").and_then(|weight| weight.parse().ok()) == Some(0.0_f32);
    coding.trim().eq_ignore_ascii_case("gzip") && !refused
}
