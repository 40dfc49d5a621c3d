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
        let base = public_url.clone().unwrap_or_else(|| format!("http://{listen}"));
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
