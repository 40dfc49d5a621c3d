//! Which pages may open a WebSocket. Browsers do not apply CORS to WebSockets, so the server checks the origin.

use axum::http::{HeaderMap, header};

/// Whether a handshake comes from an allowed page, or not from a page at all.
pub fn is_allowed(headers: &HeaderMap, allowed_origins: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed_origins.iter().any(|allowed| allowed == "*" || allowed == origin) {
        return true;
    }
    // The scheme is not compared: behind a proxy the server does not know its own.
    let (_, authority) = origin.split_once("://").unwrap_or_default();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    !authority.is_empty() && without_default_port(authority).eq_ignore_ascii_case(without_default_port(host))
}

fn without_default_port(authority: &str) -> &str {
    authority.strip_suffix(":80").or_else(|| authority.strip_suffix(":443")).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allowed(origin: &'static str, host: &'static str) -> bool {
        let headers = [
            (header::ORIGIN, HeaderValue::from_static(origin)),
            (header::HOST, HeaderValue::from_static(host)),
        ];
        is_allowed(&headers.into_iter().collect(), &["https://app.example.com".to_owned()])
    }

    #[test]
    fn pages_of_listed_origins_and_of_the_host_itself_may_open_a_websocket() {
        for (origin, host) in [
            ("https://app.example.com", "api.example.com"),
            ("https://api.example.com", "api.example.com"),
            ("http://api.example.com", "API.example.com"),
            ("https://api.example.com", "api.example.com:443"),
            ("http://api.example.com:443", "api.example.com:443"),
            ("http://localhost:8000", "localhost:8000"),
            ("http://[::1]:8000", "[::1]:8000"),
        ] {
            assert!(allowed(origin, host), "{origin} at {host}");
        }
    }

    #[test]
    fn pages_of_other_origins_may_not() {
        for (origin, host) in [
            ("https://evil.example.com", "api.example.com"),
            ("http://app.example.com", "api.example.com"),
            ("https://api.example.com.evil.example.com", "api.example.com"),
            ("http://localhost:3000", "localhost:8000"),
            ("http://localhost:8080", "localhost"),
            ("null", "api.example.com"),
            ("", ""),
            ("https://", ""),
        ] {
            assert!(!allowed(origin, host), "{origin} at {host}");
        }
    }
}
