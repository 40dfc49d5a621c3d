//! Options of mails: where they go, who they are from, and the links in them.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{ArgAction, Args};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::database::DatabaseOptions;
use crate::mail::{Destination, LinkTemplate, Links, Security, Sender, SmtpServer};

const DEFAULT_FROM: &str = "taskhold <taskhold@localhost>";
const RESET_PATH: &str = "/account/reset-password#token={token}";
const VERIFY_PATH: &str = "/account/verify-email#token={token}";
/// The folder in DATA_DIR that has the mails when there is no mail server.
const FOLDER: &str = "mail";

/// Mails and the links in them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Mail")]
pub struct MailOptions {
    /// URL at which users reach the server, for the links in mails: https://tasks.example.com, perhaps with a path;
    /// if not set, the address that the start prints. Required with MAIL_URL unless both templates are set
    #[arg(long, env, global = true, value_name = "URL")]
    pub(super) public_url: Option<String>,

    /// Link in mails for a new password, with {token} once; the scheme may be that of an app. If not set, a page
    /// of this server: PUBLIC_URL/account/reset-password#token={token}
    #[arg(long, env, global = true, value_name = "URL")]
    pub(super) reset_url_template: Option<String>,

    /// Link in mails that verify an e-mail address, with {token} once. If not set, a page of this server:
    /// PUBLIC_URL/account/verify-email#token={token}
    #[arg(long, env, global = true, value_name = "URL")]
    pub(super) verify_url_template: Option<String>,

    /// Whether the server has the two pages of the links; if not, both templates are required
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub account_pages: bool,

    /// Mail server: smtps://user:password@host:465, or smtp://user:password@host:587?tls=required for STARTTLS.
    /// If not set, each mail is a file in DATA_DIR/mail
    #[arg(long, env, global = true, hide_env_values = true, value_name = "URL")]
    pub(super) mail_url: Option<SecretString>,

    /// Mailbox that mails are from: Tasks <tasks@example.com>. Required with MAIL_URL; if neither is set,
    /// taskhold <taskhold@localhost>
    #[arg(long, env, global = true, value_name = "MAILBOX")]
    pub(super) mail_from: Option<String>,
}

impl MailOptions {
    /// Where mails go. The server is not contacted, and the folder is not created.
    pub fn destination(&self, database: &DatabaseOptions) -> Result<Destination> {
        match &self.mail_url {
            Some(url) => server(url.expose_secret()).map(Destination::Server),
            None => Ok(Destination::Folder(database.data_dir.join(FOLDER))),
        }
    }

    /// The mailbox that mails are from.
    pub fn sender(&self) -> Result<Sender> {
        match &self.mail_from {
            None if self.mail_url.is_some() => {
                bail!("MAIL_FROM must be set with MAIL_URL: a mailbox like Tasks <tasks@example.com>")
            }
            text => named("MAIL_FROM", Sender::parse(text.as_deref().unwrap_or(DEFAULT_FROM))),
        }
    }

    /// Whether the links for a new password do not depend on the address that the server listens on.
    pub fn has_public_reset_link(&self) -> bool {
        self.public_url.is_some() || self.reset_url_template.is_some()
    }

    /// The links in mails of a server that listens on an address.
    pub fn links(&self, listen: SocketAddr) -> Result<Links> {
        let has_templates = self.reset_url_template.is_some() && self.verify_url_template.is_some();
        ensure!(
            self.account_pages || has_templates,
            "ACCOUNT_PAGES=false requires RESET_URL_TEMPLATE and VERIFY_URL_TEMPLATE, since the server has no pages"
        );
        ensure!(
            self.mail_url.is_none() || self.public_url.is_some() || has_templates,
            "PUBLIC_URL must be set with MAIL_URL, unless RESET_URL_TEMPLATE and VERIFY_URL_TEMPLATE are set: \
             the URL at which users reach the server"
        );
        let public_url = self.public_url.as_deref().map(public_url).transpose()?;
        // A browser cannot open 0.0.0.0.
        let local = match listen.ip().is_unspecified() {
            true => format!("http://localhost:{}", listen.port()),
            false => format!("http://{listen}"),
        };
        let base = public_url.clone().unwrap_or(local);
        let template = |name, text: &Option<String>, path| match text {
            Some(text) => named(name, LinkTemplate::parse(text)),
            None => named("PUBLIC_URL", LinkTemplate::parse(&(base.clone() + path))),
        };
        let reset = template("RESET_URL_TEMPLATE", &self.reset_url_template, RESET_PATH)?;
        let verify = template("VERIFY_URL_TEMPLATE", &self.verify_url_template, VERIFY_PATH)?;
        // With a mail server, the users are rarely on this machine.
        let public_url = public_url.or(self.mail_url.is_none().then_some(base));
        Ok(Links { public_url, reset, verify })
    }
}

/// Puts the name of an option before an error that continues it.
fn named<T>(name: &str, parsed: Result<T>) -> Result<T> {
    parsed.map_err(|error| anyhow!("{name} {error}"))
}

/// Parses PUBLIC_URL: without the slash at its end, and with the host in ASCII.
fn public_url(text: &str) -> Result<String> {
    const FORM: &str = "PUBLIC_URL must be like https://tasks.example.com, perhaps with a path, without a \
                        password, a query or a fragment";
    // The URL parser drops some of these characters silently.
    ensure!(!text.chars().any(|char| char.is_whitespace() || char.is_control() || char == '\\'), FORM);
    let (_, rest) = text.split_once("://").context(FORM)?;
    ensure!(!rest.contains(['@', '?', '#']) && !rest.starts_with('/'), FORM);
    let url = Url::parse(text).ok().context(FORM)?;
    ensure!(matches!(url.scheme(), "http" | "https"), FORM);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Parses MAIL_URL. No error shows a part of it, since the password may be in any part of a malformed URL.
fn server(text: &str) -> Result<SmtpServer> {
    const FORM: &str = "MAIL_URL must be like smtps://user:password@mail.example.com:465 or \
                        smtp://user:password@mail.example.com:587?tls=required, with any of /?#@% in a part as %XX";
    ensure!(!text.chars().any(|char| char.is_whitespace() || char.is_control()), FORM);
    let url = Url::parse(text).ok().context(FORM)?;
    let (security, default_port) = match (url.scheme(), url.query()) {
        ("smtps", None) => (Security::Tls, 465),
        ("smtp", Some("tls=required")) => (Security::StartTls, 587),
        ("smtp", None) => (Security::None, 25),
        ("smtp", Some(_)) => bail!("MAIL_URL may have only the parameter tls=required"),
        ("smtps", Some(_)) => {
            bail!("MAIL_URL may have no parameter with smtps, which is TLS from the first byte")
        }
        _ => bail!("MAIL_URL must begin with smtps:// or smtp://"),
    };
    ensure!(matches!(url.path(), "" | "/") && url.fragment().is_none(), FORM);
    let host = url.host_str().filter(|host| !host.is_empty()).context(FORM)?;
    let host = decoded(host)?.trim_matches(['[', ']']).to_owned();
    let host = if host.is_ascii() { host } else { idna::domain_to_ascii(&host).ok().context(FORM)? };
    let login = match (decoded(url.username())?, url.password()) {
        (user, None) if user.is_empty() => None,
        (user, Some(password)) if !user.is_empty() => Some((user, SecretString::from(decoded(password)?))),
        _ => bail!("MAIL_URL must have a user and a password, or neither"),
    };
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    ensure!(
        login.is_none() || security != Security::None || is_loopback,
        "MAIL_URL has a password but no TLS; add ?tls=required, or use smtps://"
    );
    Ok(SmtpServer { host, port: url.port().unwrap_or(default_port), security, login })
}

/// Decodes %XX in a part of MAIL_URL.
fn decoded(part: &str) -> Result<String> {
    let text = percent_decode_str(part).decode_utf8().ok().filter(|text| !text.chars().any(char::is_control));
    text.map(String::from).context("MAIL_URL must not have control characters, and %XX must be UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_server_has_a_default_port_and_decoded_names() {
        for (url, shown, login) in [
            ("smtps://ann:s3cret@mail.example.com", "mail.example.com:465 with TLS", Some(("ann", "s3cret"))),
            ("smtps://mail.example.com:8465/", "mail.example.com:8465 with TLS", None),
            ("smtp://mail.example.com?tls=required", "mail.example.com:587 with STARTTLS", None),
            (
                "smtp://ann%40example.com:s3%2Fcr%C3%A9t%25@mail.example.com:2525?tls=required",
                "mail.example.com:2525 with STARTTLS",
                Some(("ann@example.com", "s3/crét%")),
            ),
            ("smtp://mail.example.com", "mail.example.com:25 in plain text", None),
            ("smtp://bücher.example", "xn--bcher-kva.example:25 in plain text", None),
            ("smtp://ann:s3cret@localhost:1025", "localhost:1025 in plain text", Some(("ann", "s3cret"))),
            ("smtp://ann:s3cret@127.0.0.9", "127.0.0.9:25 in plain text", Some(("ann", "s3cret"))),
            ("smtp://ann:s3cret@[::1]:1025", "[::1]:1025 in plain text", Some(("ann", "s3cret"))),
        ] {
            let server = server(url).expect(url);
            assert_eq!(server.to_string(), shown);
            let found =
                server.login.as_ref().map(|(user, password)| (user.as_str(), password.expose_secret()));
            assert_eq!(found, login, "{url}");
            assert!(!format!("{server:?}").contains("s3"), "{server:?}");
        }
    }

    #[test]
    fn what_is_not_a_mail_server_is_refused_without_showing_the_password() {
        for url in [
            "",
            "mail.example.com",
            "ann:s3cret@mail.example.com",
            "https://ann:s3cret@mail.example.com",
            "smtp://",
            "smtps://ann:s3cret@",
            "smtp://ann:s3cret@mail.example.com",
            "smtp://ann:s3cret@10.0.0.1",
            "smtp://ann:s3cret@localhost.example.com",
            "smtp://ann:s3cret@mail.example.com?tls=opportunistic",
            "smtp://ann:s3cret@mail.example.com?tls=required&x=1",
            "smtps://ann:s3cret@mail.example.com?tls=required",
            "smtps://ann@mail.example.com",
            "smtps://:s3cret@mail.example.com",
            "smtps://ann:s3cret@mail.example.com/path",
            "smtps://ann:s3cret@mail.example.com#part",
            "smtps://ann:s3#cret@mail.example.com",
            "smtps://ann:s3/cret@mail.example.com",
            "smtps://ann:s3?cret@mail.example.com",
            "smtps://ann:s3cret@mail.example.com:port",
            "smtps://ann:s3cret%0d%0a@mail.example.com",
            "smtps://ann:s3cret%ff@mail.example.com",
            "smtps://ann:s3 cret@mail.example.com",
        ] {
            let error = server(url).expect_err(url).to_string();
            assert!(error.starts_with("MAIL_URL ") && !error.contains('\n'), "{url}: {error}");
            assert!(!error.contains("s3") && !error.contains("cret"), "{url}: {error}");
        }
    }

    #[test]
    fn the_public_url_has_at_most_a_path() {
        for (text, url) in [
            ("https://tasks.example.com", "https://tasks.example.com"),
            ("HTTPS://Tasks.Example.com/", "https://tasks.example.com"),
            ("http://localhost:8000/tasks/", "http://localhost:8000/tasks"),
            ("https://bücher.example:8443", "https://xn--bcher-kva.example:8443"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ] {
            assert_eq!(public_url(text).expect(text), url);
        }
        for text in [
            "",
            "tasks.example.com",
            "//tasks.example.com",
            "ftp://tasks.example.com",
            "https://",
            "https:///path",
            "https:tasks.example.com",
            "https://tasks.example.com?x=1",
            "https://tasks.example.com#part",
            "https://tasks.example.com/?",
            "https://ann:s3cret@tasks.example.com",
            "https://ann@tasks.example.com",
            "https://tasks.example.com\n/path",
            "https://tasks example.com",
            "https:\\\\tasks.example.com",
            "https://tasks.example.com:port",
        ] {
            let error = public_url(text).expect_err(text).to_string();
            assert!(error.starts_with("PUBLIC_URL ") && !error.contains("s3cret"), "{text}: {error}");
        }
    }

    #[test]
    fn options_that_need_each_other_are_checked_together() {
        use crate::config::Config;
        let check = |flags: &[&str]| {
            let config = Config::from_flags(flags.iter().copied()).expect("each value is valid by itself");
            let listen = config.network.listen();
            config.mail.sender().and(config.mail.links(listen)).map_err(|error| error.to_string())
        };
        let (server, from) = ("--mail-url=smtps://mail.example.com", "--mail-from=tasks@example.com");
        let reset = "--reset-url-template=myapp://reset/{token}";
        let verify = "--verify-url-template=myapp://verify/{token}";
        let links = check(&[]).expect("nothing is required without a mail server");
        assert_eq!(links.public_url.as_deref(), Some("http://127.0.0.1:8000"));
        assert_eq!(links.reset.fill("x"), "http://127.0.0.1:8000/account/reset-password#token=x");
        assert_eq!(links.verify.fill("x"), "http://127.0.0.1:8000/account/verify-email#token=x");
        let links = check(&[server, from, reset, verify, "--account-pages=false"]).expect("all is set");
        assert_eq!((links.public_url, links.reset.fill("x")), (None, "myapp://reset/x".to_owned()));
        check(&[server, from, "--public-url=https://tasks.example.com"]).expect("all is set");
        for (flags, option) in [
            (&[server, from][..], "PUBLIC_URL "),
            (&[server, from, reset], "PUBLIC_URL "),
            (&[server, "--public-url=https://tasks.example.com"], "MAIL_FROM "),
            (&[server, "--mail-from=x", reset, verify], "MAIL_FROM "),
            (&["--account-pages=false", reset], "ACCOUNT_PAGES"),
            (&["--reset-url-template=x{token}"], "RESET_URL_TEMPLATE "),
            (&["--verify-url-template=https://x"], "VERIFY_URL_TEMPLATE "),
            (&["--public-url=x"], "PUBLIC_URL "),
        ] {
            let error = check(flags).expect_err(option);
            assert!(error.starts_with(option), "{error}");
        }
    }
}
