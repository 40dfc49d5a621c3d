//! Parses `DATABASE_URL`. Only parameters that the driver supports are passed on to it, because the driver
//! logs the values of unknown parameters.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, ensure};
use form_urlencoded::Serializer;
use sea_orm::sqlx::postgres::PgConnectOptions;

/// The parameters that the driver supports, besides `options[…]`.
const SUPPORTED_PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Parameters of libpq that are ignored without a warning. They request features that the driver does not
/// have (GSSAPI, channel binding, TLS compression) or settings that taskhold controls itself (time limits,
/// keepalives, encoding, a writable server). For every other unknown parameter there is a warning, because it
/// may be a security setting that is not applied.
const IGNORED_PARAMETERS: [&str; 18] = [
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "sslcompression",
    "sslnegotiation",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// The location of a database. `Display` and `Debug` never contain the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(SecretUrl),
}

/// The URL of a PostgreSQL database. Its `Debug` output does not contain the password.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl {
    /// The URL in the form that the driver parses.
    url: String,
    ignored: Vec<String>,
}

impl DatabaseUrl {
    /// The names, without values, of ignored parameters that the user may rely on.
    pub fn ignored_parameters(&self) -> &[String] {
        match self {
            Self::Sqlite(_) => &[],
            Self::Postgres(url) => &url.ignored,
        }
    }
}

impl SecretUrl {
    /// The URL including its password.
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// Parses the part after `postgres://`. Errors contain parameter names, and nothing else of the URL.
    fn parse(rest: &str) -> anyhow::Result<Self> {
        const EXPECTED_FORM: &str =
            "it must be like postgres://user:password@host/name, with any of /?#@% in a part as %XX";
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Otherwise a part of the password could be parsed as a port, a database name or a parameter, and
        // then be displayed.
        let at_is_last = address.find('/').is_none_or(|end| !address[end..].contains('@'));
        ensure!(at_is_last && !query.contains('@') && !rest.contains('#'), EXPECTED_FORM);
        let base = format!("postgres://{address}");
        PgConnectOptions::from_str(&base).ok().context(EXPECTED_FORM)?;

        let (mut known, mut ignored) = (Serializer::new(String::new()), Vec::new());
        if let Some(host) = ipv6_host(address) {
            // The driver would treat the brackets as a part of the host name.
            known.append_pair("host", host);
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if SUPPORTED_PARAMETERS.contains(&&*name) || (name.starts_with("options[") && name.ends_with(']'))
            {
                let alone = Serializer::new(String::new()).append_pair(&name, &value).finish();
                // The driver's own error message would contain the value.
                PgConnectOptions::from_str(&format!("postgres://localhost?{alone}"))
                    .ok()
                    .with_context(|| format!("its parameter {name} has a value that is not valid"))?;
                known.append_pair(&name, &value);
            } else if !IGNORED_PARAMETERS.contains(&&*name) {
                // A string that does not look like a parameter name may be a part of a secret value.
                let is_name = (1..=40).contains(&name.len())
                    && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
                    && !value.is_empty();
                ignored.push(if is_name { name.into_owned() } else { "(not a name)".to_owned() });
            }
        }
        Ok(Self { url: format!("{base}?{}", known.finish()), ignored })
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(…)")
    }
}

impl FromStr for DatabaseUrl {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> anyhow::Result<Self> {
        let after = |schemes: [&str; 2]| schemes.into_iter().find_map(|scheme| url.strip_prefix(scheme));
        if let Some(rest) = after(["postgres://", "postgresql://"]) {
            Ok(Self::Postgres(SecretUrl::parse(rest)?))
        } else if let Some(path) = after(["sqlite://", "sqlite:"]) {
            let path = path.split('?').next().unwrap_or_default();
            ensure!(!path.is_empty(), "it contains no file path");
            ensure!(path != ":memory:", "a database in memory would lose its data when the process ends");
            Ok(Self::Sqlite(path.into()))
        } else {
            anyhow::bail!("it starts with neither postgres:// nor sqlite://")
        }
    }
}

/// The host of `user:password@[host]:port/name`, without its brackets.
fn ipv6_host(address: &str) -> Option<&str> {
    let authority = address.split('/').next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(host.strip_prefix('[')?.split_once(']')?.0)
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite at {}", path.display()),
            Self::Postgres(url) => match PgConnectOptions::from_str(&url.url) {
                Ok(options) => {
                    let database = options.get_database().unwrap_or_else(|| options.get_username());
                    let (host, port) = (options.get_host(), options.get_port());
                    match options.get_socket() {
                        Some(socket) => write!(f, "PostgreSQL at {}/{database}", socket.display()),
                        None if host.contains(':') => write!(f, "PostgreSQL at [{host}]:{port}/{database}"),
                        None => write!(f, "PostgreSQL at {host}:{port}/{database}"),
                    }
                }
                Err(_) => f.write_str("PostgreSQL"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_never_shows_its_password() {
        let url: DatabaseUrl = "postgresql://ann:s3cret@db.example.com/tasks".parse().expect("a valid URL");
        assert_eq!(url.to_string(), "PostgreSQL at db.example.com:5432/tasks");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    fn parsed(url: &str) -> DatabaseUrl {
        url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    #[test]
    fn a_host_can_be_an_ipv6_address_in_brackets() {
        for (url, shown) in [
            ("postgres://ann:s3cret@[::1]:5433/tasks", "PostgreSQL at [::1]:5433/tasks"),
            ("postgres://[2001:db8::1]/tasks", "PostgreSQL at [2001:db8::1]:5432/tasks"),
            ("postgres://ann@[::1]?dbname=tasks", "PostgreSQL at [::1]:5432/tasks"),
            ("postgres://ann@[::1]/tasks?host=db", "PostgreSQL at db:5432/tasks"),
        ] {
            let parsed = parsed(url);
            assert_eq!(parsed.to_string(), shown);
            let DatabaseUrl::Postgres(secret) = parsed else { panic!("another database") };
            let options = PgConnectOptions::from_str(secret.expose()).expect("the driver reads it");
            assert!(!options.get_host().contains('['), "{}", options.get_host());
        }
    }

    #[test]
    fn parameters_that_the_driver_does_not_know_are_named_without_their_values() {
        let url = "postgres://ann:one@db/tasks?sslmode=require&channel_binding=require&application_type=s3cret&\
                   password=t%26w+o&sslcrl=s3cret&s3cret&a%20s3cret=s3cret&options[search_path]=x&options[=y";
        let parsed = parsed(url);
        let named = ["application_type", "sslcrl", "(not a name)", "(not a name)", "(not a name)"];
        assert_eq!(parsed.ignored_parameters(), named);
        let DatabaseUrl::Postgres(secret) = parsed else { panic!("another database") };
        assert_eq!(
            secret.expose(),
            "postgres://ann:one@db/tasks?sslmode=require&password=t%26w+o&options%5Bsearch_path%5D=x"
        );
    }

    #[test]
    fn parameters_with_values_that_the_driver_does_not_understand_are_refused_by_name() {
        for name in ["sslmode", "port", "hostaddr", "statement-cache-capacity"] {
            let refusal = format!("postgres://ann@db/tasks?{name}=s3cret").parse::<DatabaseUrl>();
            let message = refusal.expect_err("the URL was accepted").to_string();
            assert_eq!(message, format!("its parameter {name} has a value that is not valid"));
        }
    }

    #[test]
    fn urls_of_other_databases_are_refused() {
        for url in ["", "mysql://localhost/x", "tasks.db", "sqlite::memory:", "sqlite://", "postgres://[::"] {
            assert!(url.parse::<DatabaseUrl>().is_err(), "{url} was accepted");
        }
    }

    #[test]
    fn a_password_that_would_be_taken_for_a_host_or_a_name_is_refused() {
        for password in ["12/cret", "12?cret", "12#cret", "s@12/cret", "12?a=cret"] {
            let refusal = format!("postgres://ann:{password}@db/tasks").parse::<DatabaseUrl>();
            let message = refusal.expect_err("the URL was accepted").to_string();
            assert!(message.contains("%XX") && !message.contains("cret"), "{message}");
        }
        let url: DatabaseUrl = "postgres://ann:12%2Fcret@db/tasks".parse().expect("a valid URL");
        assert_eq!(url.to_string(), "PostgreSQL at db:5432/tasks");
    }
}
