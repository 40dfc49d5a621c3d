//! Every option in one struct, and the checks that a single value cannot make.

mod origin;
mod secret;
mod sources;

use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{ArgAction, Args, FromArgMatches, ValueEnum};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

use crate::auth::{SigningSecret, SigningSecrets};
use crate::db::DatabaseUrl;
use crate::graphql::TrustedDocuments;
use crate::graphql::guard::Limits;
use crate::telemetry::{self, LogFormat};
pub use sources::{load_env_file, parse};

/// How to make a good secret.
const SECRET_HINT: &str = "make one with `openssl rand -hex 32`";
/// As good as no limit.
const MAX_LIMIT: u64 = 1 << 30;
/// More than any machine has.
const MAX_RESPONSE_MEMORY_BYTES: u64 = 1 << 46;
/// Deeper documents could overflow the parser's stack.
const MAX_QUERY_NESTING: u64 = 64;

/// The options. Each is a flag, an environment variable, or a line in .env. A flag overrides the environment,
/// which overrides .env, and an empty value counts as not set.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct Config {
    /// postgres://user:password@host/name or sqlite://path. Without it: an SQLite file in DATA_DIR
    #[arg(long, env, global = true, hide_env_values = true, value_name = "URL")]
    database_url: Option<SecretString>,

    /// Folder of the embedded database and of the generated secret
    #[arg(long, env, global = true, value_name = "FOLDER", default_value = "./data")]
    data_dir: PathBuf,

    /// Largest number of connections to the database, per instance
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<u32>(1..=1000))]
    pub database_max_connections: u32,

    /// Address to listen on; 0.0.0.0 or :: accepts connections from other machines
    #[arg(long, env, global = true, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = ip_address, help_heading = "Network")]
    host: IpAddr,

    /// Port to listen on; 0 chooses a free one
    #[arg(long, env, global = true, default_value_t = 8000, value_parser = whole_number::<u16>(0..=65_535), help_heading = "Network")]
    port: u16,

    /// Origins of pages that may call the API, comma-separated: https://app.example.com
    #[arg(
        long,
        env,
        global = true,
        value_name = "ORIGINS",
        default_value = "",
        help_heading = "Network",
        hide_default_value = true
    )]
    cors_origins: String,

    /// Networks of proxies whose X-Forwarded-For is believed, comma-separated: 10.0.0.0/8
    #[arg(
        long,
        env,
        global = true,
        value_name = "NETWORKS",
        default_value = "",
        help_heading = "Network",
        hide_default_value = true
    )]
    trusted_proxies: String,

    /// Whether browsers get the playground at /graphql
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, help_heading = "Network")]
    pub graphiql: bool,

    /// Whether clients may ask for the schema, and errors may suggest names
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, help_heading = "Network")]
    pub introspection: bool,

    /// Manifest of the only documents that are executed, as GraphQL Code Generator, Relay or Apollo write it
    #[arg(long, env, global = true, value_name = "FILE", help_heading = "Network")]
    trusted_documents: Option<PathBuf>,

    /// How long the server still accepts connections after a signal to stop, while /readyz is 503
    #[arg(long, env, global = true, value_name = "TIME", default_value = "1s", value_parser = duration, help_heading = "Network")]
    pub shutdown_grace: Duration,

    /// Address and port of a second listener that serves /metrics to Prometheus: 127.0.0.1:9464
    #[arg(long, env, global = true, value_name = "ADDRESS", value_parser = socket_address, help_heading = "Network")]
    pub metrics_bind: Option<SocketAddr>,

    /// Secret that signs the tokens: at least 32 bytes, at least 10 different ones. It is generated in
    /// DATA_DIR with SQLite and required with PostgreSQL
    #[arg(
        long,
        env,
        global = true,
        hide_env_values = true,
        value_name = "SECRET",
        help_heading = "Accounts"
    )]
    better_auth_secret: Option<SecretString>,

    /// Several named secrets instead of one, for rotation: 2:new,1:old. The first signs, all verify
    #[arg(
        long,
        env,
        global = true,
        hide_env_values = true,
        value_name = "SECRETS",
        help_heading = "Accounts"
    )]
    better_auth_secrets: Option<SecretString>,

    /// Algorithm that signs the tokens; there is no other
    #[arg(long, env, global = true, default_value = "HS256", help_heading = "Accounts")]
    jwt_algorithm: JwtAlgorithm,

    /// How long an access token is valid: 7d, or 15m for clients that refresh it
    #[arg(long, env, global = true, value_name = "TIME", default_value = "7d", value_parser = positive_duration, help_heading = "Accounts")]
    pub access_token_ttl: Duration,

    /// How long refreshToken can extend a session
    #[arg(long, env, global = true, value_name = "TIME", default_value = "30d", value_parser = positive_duration, help_heading = "Accounts")]
    pub session_ttl: Duration,

    /// Whether anybody may register
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, help_heading = "Accounts")]
    pub registration_open: bool,

    /// Failed logins of one account from one network in 15 minutes, and ten times as many in an hour from all networks. 0: no limit
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<i32>(0..=MAX_LIMIT), help_heading = "Limits")]
    pub limit_login_failures: i32,

    /// Calls of register, login, refreshToken and changePassword from one address in a minute, per instance. 0: no limit
    #[arg(long, env, global = true, value_name = "N", default_value_t = 60, value_parser = whole_number::<u32>(0..=MAX_LIMIT), help_heading = "Limits")]
    pub limit_credentials_per_minute: u32,

    /// Largest body of a request, in bytes
    #[arg(long, env, global = true, value_name = "N", default_value_t = 1 << 20, value_parser = whole_number::<usize>(1..=MAX_LIMIT), help_heading = "Limits")]
    limit_request_bytes: usize,

    /// Largest text of a document, in bytes
    #[arg(long, env, global = true, value_name = "N", default_value_t = 16 << 10, value_parser = whole_number::<usize>(1..=MAX_LIMIT), help_heading = "Limits")]
    limit_query_bytes: usize,

    /// Deepest nesting of brackets in a document
    #[arg(long, env, global = true, value_name = "N", default_value_t = 32, value_parser = whole_number::<usize>(1..=MAX_QUERY_NESTING), help_heading = "Limits")]
    limit_query_nesting: usize,

    /// Largest number of tokens in a document
    #[arg(long, env, global = true, value_name = "N", default_value_t = 2_000, value_parser = whole_number::<usize>(1..=MAX_LIMIT), help_heading = "Limits")]
    limit_query_tokens: usize,

    /// Deepest nesting of fields in a document; a root field is 1
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<usize>(1..=MAX_LIMIT), help_heading = "Limits")]
    limit_query_depth: usize,

    /// Highest cost of a document: a field costs 1, a connection its page size times its children
    #[arg(long, env, global = true, value_name = "N", default_value_t = 5_000, value_parser = whole_number::<usize>(1..=MAX_LIMIT), help_heading = "Limits")]
    limit_query_complexity: usize,

    /// Largest number of aliases in a document
    #[arg(long, env, global = true, value_name = "N", default_value_t = 20, value_parser = whole_number::<usize>(0..=MAX_LIMIT), help_heading = "Limits")]
    limit_query_aliases: usize,

    /// Largest number of root fields in a query; a mutation may have half as many
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<usize>(2..=MAX_LIMIT), help_heading = "Limits")]
    limit_root_fields: usize,

    /// Largest number of connections of clients at once
    #[arg(long, env, global = true, value_name = "N", default_value_t = 4_096, value_parser = whole_number::<usize>(1..=MAX_LIMIT), help_heading = "Limits")]
    pub limit_connections: usize,

    /// Connections of one address at once, except those of TRUSTED_PROXIES: a quarter of LIMIT_CONNECTIONS when left out; 0: no limit
    #[arg(long, env, global = true, value_name = "N", value_parser = whole_number::<usize>(0..=MAX_LIMIT), help_heading = "Limits")]
    limit_connections_per_address: Option<usize>,

    /// Largest memory of answers that are being built or not taken yet, in bytes; each user has an eighth of it
    #[arg(long, env, global = true, value_name = "N", default_value_t = 512 << 20, value_parser = whole_number::<usize>(1..=MAX_RESPONSE_MEMORY_BYTES), help_heading = "Limits")]
    pub limit_unsent_bytes: usize,

    /// Time limit of a request
    #[arg(long, env, global = true, value_name = "TIME", default_value = "15s", value_parser = positive_duration, help_heading = "Limits")]
    pub request_timeout: Duration,

    /// Format of the log. Without it: pretty on a terminal, else json
    #[arg(long, env, global = true, value_name = "FORMAT", help_heading = "Log")]
    pub log_format: Option<LogFormat>,

    /// What is logged: error, warn, info, debug, trace, or a filter by module like info,hyper=debug
    #[arg(long, env, global = true, value_name = "FILTER", default_value = "info", value_parser = telemetry::validate_filter, help_heading = "Log")]
    pub rust_log: String,
}

/// HS256 is the only one: a server that accepts several can be talked into the weakest.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum JwtAlgorithm {
    #[value(name = "HS256")]
    Hs256,
}

impl Config {
    /// Reads the options from flags, and those left out from the environment.
    pub fn from_flags<'a>(flags: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let command = Self::augment_args(clap::Command::new("taskhold").no_binary_name(true));
        Ok(Self::from_arg_matches(&parse(command, flags.into_iter().map(OsString::from))?)?)
    }

    /// The address to listen on.
    pub fn listen(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// Makes sure that the options fit together, before anything is done with them.
    pub fn check(&self) -> Result<()> {
        self.secrets(&self.database()?)?;
        self.trusted_proxies()?;
        self.trusted_documents()?;
        self.cors_origins().map(drop)
    }

    /// Where the database is; makes DATA_DIR when the embedded one lies there.
    pub fn database(&self) -> Result<DatabaseUrl> {
        match &self.database_url {
            Some(url) => url.expose_secret().parse().context("DATABASE_URL cannot be used"),
            None => {
                self.create_data_dir()?;
                Ok(DatabaseUrl::Sqlite(self.data_dir.join("taskhold.db")))
            }
        }
    }

    /// The option that says where the database is.
    pub fn database_option(&self) -> &'static str {
        if self.database_url.is_some() { "DATABASE_URL" } else { "DATA_DIR" }
    }

    /// The secrets to sign with: those given, or with SQLite the one kept in DATA_DIR.
    pub fn secrets(&self, database: &DatabaseUrl) -> Result<SigningSecrets> {
        match (&self.better_auth_secrets, &self.better_auth_secret) {
            (Some(_), Some(_)) => {
                bail!("BETTER_AUTH_SECRET and BETTER_AUTH_SECRETS are both set; use one of them")
            }
            (Some(secrets), None) => secret::parse_named_secrets(secrets.expose_secret()),
            (None, _) => self.single_secret(database).map(SigningSecrets::from),
        }
    }

    fn single_secret(&self, database: &DatabaseUrl) -> Result<SigningSecret> {
        let JwtAlgorithm::Hs256 = self.jwt_algorithm;
        match (&self.better_auth_secret, database) {
            (Some(secret), _) => SigningSecret::new(secret.expose_secret().as_bytes().to_vec())
                .map_err(|weakness| anyhow!("BETTER_AUTH_SECRET is too weak: {weakness}; {SECRET_HINT}")),
            (None, DatabaseUrl::Postgres(_)) => bail!(
                "BETTER_AUTH_SECRET must be set with PostgreSQL, since all instances share it; {SECRET_HINT}"
            ),
            (None, DatabaseUrl::Sqlite(_)) => {
                self.create_data_dir()?;
                let file = self.data_dir.join("secret");
                let secret = secret::load_or_create_secret(&file).with_context(|| {
                    format!("DATA_DIR: the secret in {} can be neither read nor made", file.display())
                })?;
                SigningSecret::new(secret.into_bytes()).map_err(|weakness| {
                    let file = file.display();
                    anyhow!("DATA_DIR: the secret in {file} is too weak: {weakness}; remove the file")
                })
            }
        }
    }

    fn create_data_dir(&self) -> Result<()> {
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&self.data_dir).with_context(|| {
            format!("DATA_DIR must be a folder to read and write; {} is none", self.data_dir.display())
        })
    }

    /// The origins of pages that may call the API, as browsers send them; `*` for all.
    pub fn cors_origins(&self) -> Result<Vec<String>> {
        let entries = self.cors_origins.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let parse = |entry| match entry {
            "*" if self.host.is_loopback() => Ok(entry.to_owned()),
            "*" => bail!("CORS_ORIGINS may be * only while HOST is a loopback address; name the origins"),
            _ => origin::normalize(entry),
        };
        entries.map(parse).collect()
    }

    /// The networks of proxies that are believed.
    pub fn trusted_proxies(&self) -> Result<Vec<IpNet>> {
        let networks = self.trusted_proxies.split(',').map(str::trim).filter(|network| !network.is_empty());
        let parse = |network: &str| {
            let parsed = network.parse().or_else(|_| network.parse::<IpAddr>().map(IpNet::from));
            let parsed = parsed.ok().map(as_ipv4_if_mapped);
            parsed.with_context(|| format!("TRUSTED_PROXIES: {network} is no network like 10.0.0.0/8"))
        };
        networks.map(parse).collect()
    }

    /// How many connections may be open at once: in all, and of one address (0: no limit).
    pub fn connections(&self) -> (usize, usize) {
        let quarter = (self.limit_connections / 4).max(1);
        (self.limit_connections, self.limit_connections_per_address.unwrap_or(quarter))
    }

    /// The documents of the manifest, when only those are run.
    pub fn trusted_documents(&self) -> Result<Option<TrustedDocuments>> {
        let Some(file) = &self.trusted_documents else { return Ok(None) };
        let context = || format!("TRUSTED_DOCUMENTS: {} cannot be used", file.display());
        let manifest = fs::read_to_string(file).with_context(context)?;
        TrustedDocuments::from_manifest(&manifest).with_context(context).map(Some)
    }

    /// The bounds that requests are held to.
    pub fn limits(&self) -> Limits {
        Limits {
            request_bytes: self.limit_request_bytes,
            query_bytes: self.limit_query_bytes,
            nesting: self.limit_query_nesting,
            tokens: self.limit_query_tokens,
            depth: self.limit_query_depth,
            complexity: self.limit_query_complexity,
            aliases: self.limit_query_aliases,
            root_fields: self.limit_root_fields,
        }
    }
}

fn whole_number<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number
            .and_then(|number| T::try_from(number).ok())
            .with_context(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Addresses are compared after IPv4-mapped IPv6 has become IPv4, so networks are brought to the same form.
fn as_ipv4_if_mapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| IpNet::new(address.into(), length).ok()).unwrap_or(network)
}

fn ip_address(text: &str) -> Result<IpAddr> {
    text.parse().ok().context("must be an IP address like 127.0.0.1 or 0.0.0.0")
}

fn socket_address(text: &str) -> Result<SocketAddr> {
    text.parse().ok().context("must be an IP address with a port like 127.0.0.1:9464")
}

fn duration(text: &str) -> Result<Duration> {
    humantime::parse_duration(text).ok().context("must be a time like 30s, 15m or 7d")
}

fn positive_duration(text: &str) -> Result<Duration> {
    let time = duration(text)?;
    // A thousand years is as good as for ever, and can still be added to a date.
    let range = Duration::from_secs(1)..=Duration::from_secs(1000 * 365 * 86_400);
    anyhow::ensure!(range.contains(&time), "must be a time from 1s to 1000y");
    Ok(time)
}
