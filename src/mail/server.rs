//! The mail server as the configuration describes it.

use std::fmt;

use secrecy::SecretString;

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after the command STARTTLS; without it no mail is sent.
    StartTls,
    /// Plain text.
    None,
}

/// A mail server. Neither `Display` nor `Debug` shows the password.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    /// A domain, or an IP address without brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// The user and the password.
    pub login: Option<(String, SecretString)>,
}

impl fmt::Display for SmtpServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, security, .. } = self;
        let security = match security {
            Security::Tls => "with TLS",
            Security::StartTls => "with STARTTLS",
            Security::None => "in plain text",
        };
        if host.contains(':') {
            write!(formatter, "[{host}]:{port} {security}")
        } else {
            write!(formatter, "{host}:{port} {security}")
        }
    }
}
