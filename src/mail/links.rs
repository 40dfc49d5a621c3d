//! The links in mails. They depend on the configuration only, never on a request.

use anyhow::{Context, Result, ensure};
use url::Url;

use crate::domain::MailKind;

/// The place of the token in a template.
const PLACE: &str = "{token}";
const MAX_CHARS: usize = 500;
/// Schemes whose links would run a program or show content that is not from the network.
const REFUSED_SCHEMES: [&str; 5] = ["javascript", "data", "vbscript", "file", "blob"];

/// A link with a place for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate(String);

impl LinkTemplate {
    /// Parses an absolute URL with one `{token}`. The error continues the name of an option: "must …".
    pub fn parse(text: &str) -> Result<Self> {
        ensure!(text.len() <= MAX_CHARS, "must have at most {MAX_CHARS} characters");
        ensure!(text.matches(PLACE).count() == 1, "must contain {PLACE} once");
        let form = || format!("must be an absolute URL like https://app.example.com/reset#token={PLACE}");
        // In a mail the link is one line of ASCII. The parser would drop line breaks.
        ensure!(text.bytes().all(|byte| byte.is_ascii_graphic()), form());
        let url = Url::parse(&fill(text, "0")).ok().with_context(form)?;
        let scheme = url.scheme();
        ensure!(!REFUSED_SCHEMES.contains(&scheme), "must not have the scheme {scheme}");
        // The parser would accept other forms of these, and browsers do not keep the case of a host.
        ensure!(!matches!(scheme, "http" | "https") || has_fixed_host(text), form());
        Ok(Self(text.to_owned()))
    }

    /// The link with a token, which must consist of letters and digits.
    pub fn fill(&self, token: &str) -> String {
        fill(&self.0, token)
    }
}

fn has_fixed_host(text: &str) -> bool {
    let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '\\', '?', '#']).next());
    authority.is_some_and(|authority| !authority.is_empty() && !authority.contains(PLACE))
}

fn fill(template: &str, token: &str) -> String {
    template.replacen(PLACE, token, 1)
}

/// The links of this server.
#[derive(Clone, Debug)]
pub struct Links {
    /// The address at which users reach the server, without a slash at its end; None when it is not known.
    pub public_url: Option<String>,
    /// The links of mails for a new password.
    pub reset: LinkTemplate,
    /// The links of mails that verify an address.
    pub verify: LinkTemplate,
}

impl Links {
    /// The link of a mail of a kind; None for a notice.
    pub fn of(&self, kind: MailKind, token: &str) -> Option<String> {
        match kind {
            MailKind::ResetPassword => Some(self.reset.fill(token)),
            MailKind::VerifyEmail | MailKind::ConfirmEmail => Some(self.verify.fill(token)),
            _ => None,
        }
    }

    /// The host in the public URL; an IPv6 address is in brackets.
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.public_url.as_deref()?.split_once("://")?;
        let authority = rest.split('/').next()?;
        let has_port = |(_, port): &(&str, &str)| port.bytes().all(|byte| byte.is_ascii_digit());
        Some(authority.rsplit_once(':').filter(has_port).map_or(authority, |(host, _)| host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_an_absolute_url_with_one_place_for_the_token() {
        for text in [
            "https://app.example.com/reset#token={token}",
            "https://app.example.com/{token}/reset?from=mail",
            "myapp://reset/{token}",
            "com.example.app:reset?token={token}",
        ] {
            let template = LinkTemplate::parse(text).expect(text);
            assert_eq!(template.fill("Abc1"), text.replace("{token}", "Abc1"));
        }
        let long = format!("https://app.example.com/{}{{token}}", "x".repeat(500));
        for text in [
            "",
            "https://app.example.com/reset",
            "https://app.example.com/{token}{token}",
            "/reset#token={token}",
            "app.example.com/{token}",
            "https:///{token}",
            "https:app.example.com/{token}",
            "https://{token}.example.com",
            "{token}://app.example.com",
            "https://app.example.com/ {token}",
            "https://app.example.com/\n{token}",
            "https://app.example.com/ä{token}",
            "javascript:alert('{token}')",
            "JavaScript:alert('{token}')",
            "data:text/html,{token}",
            "vbscript:{token}",
            "file:///{token}",
            "blob:https://app.example.com/{token}",
            &long,
        ] {
            let error = LinkTemplate::parse(text).expect_err(text).to_string();
            assert!(error.starts_with("must ") && !error.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn the_host_of_the_public_url_is_without_port_and_path() {
        let template = LinkTemplate::parse("https://x/{token}").expect("it is valid");
        for (url, host) in [
            ("https://tasks.example.com", "tasks.example.com"),
            ("https://tasks.example.com:8443/path", "tasks.example.com"),
            ("http://[::1]:8000", "[::1]"),
            ("http://[::1]", "[::1]"),
        ] {
            let links =
                Links { public_url: Some(url.into()), reset: template.clone(), verify: template.clone() };
            assert_eq!(links.host(), Some(host), "{url}");
        }
    }
}
