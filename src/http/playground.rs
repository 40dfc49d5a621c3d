//! A page to try the API in: GraphiQL, complete, offline, under a policy that lets nothing else in.
//! The folder `playground` at the top holds its sources; what they are bundled into is embedded here.

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

const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Marks the response that is the page.
#[derive(Clone, Copy)]
struct Page;

/// Whether a response is the page.
pub fn is_page(response: &Response) -> bool {
    response.extensions().get::<Page>().is_some()
}

/// The page itself. Its addresses are relative, so it works behind a proxy that serves it under a path.
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

/// What the page asks for, and the licences of what it is made of.
pub(super) fn assets() -> Router<Arc<super::Shared>> {
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

/// A file that is embedded as gzip, and sent so to everybody who takes that.
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

    /// The browser keeps the file and asks each time whether it is still that one: another version of the
    /// program has another.
    fn respond(&self, request: &HeaderMap) -> Response {
        // Weak, since both encodings have the same.
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
            GzDecoder::new(self.gzip).read_to_end(&mut plain).expect("what was embedded is gzip");
            plain.into()
        })
    }
}

/// Whether one of the comma-separated items of a header passes.
fn any_item(headers: &HeaderMap, name: HeaderName, passes: impl Fn(&str) -> bool) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| passes(item.trim()))
}

/// Whether an item of Accept-Encoding asks for gzip. One with a weight of nothing refuses it.
fn accepts_gzip(item: &str) -> bool {
    let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
    let weight = weight.trim().to_ascii_lowercase();
    let refused = weight.strip_prefix("q=").and_then(|weight| weight.parse().ok()) == Some(0.0_f32);
    coding.trim().eq_ignore_ascii_case("gzip") && !refused
}
