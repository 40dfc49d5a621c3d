//! Refuses requests whose framing two servers could interpret differently (request smuggling). hyper refuses
//! most of them: an invalid or contradictory Content-Length, Transfer-Encoding in HTTP/1.0 or without chunked
//! at its end, folded header lines, space before a colon. If both headers are present it uses
//! Transfer-Encoding and closes the connection after the request.

use axum::http::{HeaderMap, Request, Version, header};

/// Why a request is refused with 400, as an extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// The error in the framing of a request, if there is one (RFC 9112, 3.2 and 6.1).
pub fn framing_error<B>(request: &Request<B>) -> Option<Malformed> {
    let headers = request.headers();
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() == Version::HTTP_11 => {
            Some(Malformed("The request has no Host header."))
        }
        (_, Some(_)) => Some(Malformed("The request has several Host headers.")),
        _ if has_unsupported_transfer_coding(headers) => {
            Some(Malformed("The only Transfer-Encoding of requests is chunked."))
        }
        _ => None,
    }
}

fn has_unsupported_transfer_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return false };
    codings.next().is_some() || !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked")
}
