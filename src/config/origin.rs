//! Normalizes the origins in CORS_ORIGINS to the form that browsers send.

use anyhow::{Result, bail};
use url::{Origin, Url};

/// The form in which browsers send an origin in the `Origin` header: lower case, for http and https with an
/// ASCII host and without the default port. Errors: an origin that no browser sends.
pub fn normalize(entry: &str) -> Result<String> {
    if let Some(origin) = parse(entry) {
        return Ok(origin);
    }
    // The text before an @ can contain a password.
    let shown = if entry.contains('@') { "one with a user name".to_owned() } else { format!("{entry:?}") };
    bail!("CORS_ORIGINS must be origins like https://app.example.com, not {shown}")
}

fn parse(entry: &str) -> Option<String> {
    let (_, authority) = entry.split_once("://")?;
    // The URL parser drops some of these characters silently and accepts others as part of the host.
    let is_authority = |c: char| !c.is_whitespace() && !c.is_control() && !"/\\?#@*%".contains(c);
    if authority.is_empty() || !authority.chars().all(is_authority) {
        return None;
    }
    let url = Url::parse(&entry.to_lowercase()).ok()?;
    match url.origin() {
        origin @ Origin::Tuple(..) if matches!(url.scheme(), "http" | "https") => {
            Some(origin.ascii_serialization())
        }
        // The URL standard defines no origin for the schemes of apps and browser extensions.
        _ => {
            let host = url.host_str().filter(|host| !host.is_empty() && authority.is_ascii())?;
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{}://{host}{port}", url.scheme()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_brought_to_the_form_that_browsers_send() {
        for (entry, sent) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://BÜCHER.example:8443", "https://xn--bcher-kva.example:8443"),
            ("http://[2001:DB8:0::1]:80", "http://[2001:db8::1]"),
            ("http://127.0.0.1:5173", "http://127.0.0.1:5173"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("Tauri://LocalHost", "tauri://localhost"),
            ("ionic://localhost:8080", "ionic://localhost:8080"),
            (
                "chrome-extension://Abcdefghijklmnopabcdefghijklmnop",
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            ),
            (
                "moz-extension://8c7f0a1e-1111-4222-8333-444455556666",
                "moz-extension://8c7f0a1e-1111-4222-8333-444455556666",
            ),
        ] {
            assert_eq!(normalize(entry).ok().as_deref(), Some(sent), "{entry}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for entry in [
            "null",
            "app.example.com",
            "//app.example.com",
            "https:app.example.com",
            "https:/app.example.com",
            "https://",
            "https://:443",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?query",
            "https://app.example.com#part",
            "https://*.example.com",
            "https://*",
            "https://app example.com",
            "https://app.example.com\\x",
            "https://ex%61mple.com",
            "https://app.example.com:port",
            "https://app.example.com:65536",
            "https://[2001:db8::1",
            "1://localhost",
            "capacitor://",
            "capacitor://localhost/",
            "capacitor://bücher",
            "data:text/html,x",
            "file:///index.html",
        ] {
            let error = normalize(entry).expect_err(entry).to_string();
            assert!(error.contains("CORS_ORIGINS") && error.contains(&format!("{entry:?}")), "{error}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        for entry in ["https://ann:s3cret@app.example.com", "s3cret@app.example.com", "app://ann:s3cret@x/y"]
        {
            let error = normalize(entry).expect_err(entry).to_string();
            assert!(!error.contains("s3cret") && !error.contains('\n'), "{error}");
        }
    }
}
