//! The composition root: builds a running server from the configuration.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use chrono::TimeDelta;

use crate::api::{self, Api, StreamLimits};
use crate::auth::{LinkTokens, Tokens};
use crate::config::Config;
use crate::db::{Database, DatabaseUrl, FileLock};
use crate::domain::{Clock, TokenLifetimes};
use crate::graphql::{ExecutorSettings, PersistedDocuments, TrustedDocuments};
use crate::http::{
    self, ConnectionLimits, HttpService, HttpSettings, MailNumbers, Metrics, Readiness, Server,
    StreamSettings,
};
use crate::mail::Mailer;
use crate::service::{AccountRules, EmailTokens, Operator, Services};
use crate::telemetry;

/// The time limit for opening the database, so that a start without a database fails within 10 s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// The time limit for closing the database after the last response.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the server until a signal stops it.
pub async fn serve(config: &Config, migrate: bool) -> Result<()> {
    config.check()?;
    let url = config.database.url()?;
    if let ignored @ [_, ..] = url.ignored_parameters() {
        let parameters = ignored.join(", ");
        tracing::warn!(parameters, "DATABASE_URL has unknown parameters, which have no effect");
    }
    // The port is opened before the database, since a port in use often belongs to an instance with the same data.
    let address = config.network.listen();
    let listener = http::listen(address)
        .map_err(|error| anyhow!("HOST and PORT: cannot listen on {address}: {error}; choose others"))?;
    let metrics_listener = config.network.metrics_bind.map(|address| {
        http::listen(address)
            .map_err(|error| anyhow!("METRICS_BIND: cannot listen on {address}: {error}; choose another"))
    });
    let metrics_listener = metrics_listener.transpose()?;
    let _lock = lock(config, &url)?;
    let database = connect(config).await?;
    if migrate {
        let failure = || format!("{}: the database cannot be migrated", config.database.option_name());
        database.migrate_up().await.with_context(failure)?;
    }
    // With PORT=0 the address is known only now.
    let address = listener.local_addr().context("the listener has no address")?;
    let app = App::new(config, database.clone(), Clock::default(), address)?;
    if let Some(listener) = metrics_listener {
        http::serve_metrics(listener, app.metrics.clone())?;
    }
    let close = async {
        if tokio::time::timeout(CLOSE_TIMEOUT, database.close()).await.is_err() {
            tracing::warn!("the database was not closed within {CLOSE_TIMEOUT:?}");
        }
    };
    let App { service, api, readiness, metrics } = app;
    let (total, per_address) = config.limits.connections();
    let limits = ConnectionLimits { total, per_address, proxies: config.network.trusted_proxies()? };
    let grace = config.network.shutdown_grace;
    let server = Server { service, readiness, connections: metrics.connections, limits, grace };
    server.run(listener, async move { api.drain().await }, close).await
}

/// Opens the configured database.
pub async fn connect(config: &Config) -> Result<Database> {
    let url = config.database.url()?;
    let connecting = Database::connect(&url, config.database.database_max_connections);
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => {
            connected.map_err(|error| cannot_open(config, &url, &error.root_cause().to_string()))
        }
        Err(_) => Err(cannot_open(config, &url, &format!("no answer within {CONNECT_TIMEOUT:?}"))),
    }
}

/// The mailer of a server that listens on an address. It has not contacted the mail server.
pub fn mailer(config: &Config, address: SocketAddr) -> Result<Mailer> {
    let links = config.mail.links(address)?;
    Mailer::new(config.mail.destination(&config.database)?, config.mail.sender()?, links)
}

/// A link with which a user sets a new password. It does not verify the address of the user.
pub async fn reset_link(config: &Config, operator: &Operator, who: &str) -> Result<String> {
    let address = config.network.listen();
    ensure!(
        address.port() != 0 || config.mail.has_public_reset_link(),
        "PUBLIC_URL must be set with PORT=0, since the port of the server is not known"
    );
    let links = config.mail.links(address)?;
    let secrets = config.accounts.secrets(&config.database)?;
    let tokens = EmailTokens::new(LinkTokens::new(&secrets), token_lifetimes(config)?, Clock::default());
    Ok(links.reset.fill(&operator.reset_token(who, &tokens).await?))
}

fn token_lifetimes(config: &Config) -> Result<TokenLifetimes> {
    let (reset, verify) = (config.accounts.reset_token_ttl, config.accounts.verify_token_ttl);
    Ok(TokenLifetimes { reset: span(reset)?, verify: span(verify)? })
}

fn span(duration: Duration) -> Result<TimeDelta> {
    TimeDelta::from_std(duration).context("a lifetime is out of range")
}

/// Refuses a second server on an SQLite file. PostgreSQL serves any number of servers.
fn lock(config: &Config, url: &DatabaseUrl) -> Result<Option<FileLock>> {
    let DatabaseUrl::Sqlite(path) = url else { return Ok(None) };
    match FileLock::acquire(path) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => bail!(
            "{}: another server uses {url}; stop it, or give this server another file",
            config.database.option_name()
        ),
        Err(error) => Err(cannot_open(config, url, &error.to_string())),
    }
}

fn cannot_open(config: &Config, url: &DatabaseUrl, cause: &str) -> anyhow::Error {
    let remedy = match url {
        DatabaseUrl::Sqlite(_) => {
            "it must be an SQLite database, and its folder must be readable and writable"
        }
        DatabaseUrl::Postgres(_) => {
            "check that it runs, and that the address, the user and the password are correct"
        }
    };
    anyhow!("{}: cannot open {url}: {cause}; {remedy}", config.database.option_name())
}

/// The service, ready to serve requests.
pub struct App {
    /// Responds to the requests of the HTTP server.
    pub service: HttpService,
    /// The GraphQL API behind it.
    pub api: Api,
    /// The state that /readyz reports.
    pub readiness: Readiness,
    /// The metrics of the service.
    pub metrics: Metrics,
}

impl App {
    /// Builds the layers on an open, migrated database. `address` is the one that the server listens on.
    pub fn new(config: &Config, database: Database, clock: Clock, address: SocketAddr) -> Result<Self> {
        let secrets = config.accounts.secrets(&config.database)?;
        let tokens = Tokens::new(&secrets, span(config.accounts.access_token_ttl)?);
        let rules = AccountRules {
            registration_open: config.accounts.registration_open,
            session_lifetime: span(config.accounts.session_ttl)?,
            login_failures: config.limits.limit_login_failures,
            credentials_per_minute: config.limits.limit_credentials_per_minute,
            mails_per_hour: config.limits.limit_mails_per_hour,
            reset_requests_per_hour: config.limits.limit_reset_requests_per_hour,
            token_lifetimes: token_lifetimes(config)?,
            api_key_lifetime: span(config.accounts.api_key_max_ttl)?,
            verified_email_required: config.accounts.require_verified_email,
        };
        let pool = database.clone();
        let mailer = mailer(config, address)?;
        if let Some(folder) = mailer.folder() {
            match mailer.check_folder() {
                Ok(()) => tracing::info!(folder, "mails are written to files, since MAIL_URL is not set"),
                Err(error) => {
                    tracing::warn!(folder, %error, "mails wait: set MAIL_URL, or DATA_DIR to a writable folder");
                }
            }
        }
        let tokens = (tokens, LinkTokens::new(&secrets));
        let services = Arc::new(Services::new(database, clock, tokens, mailer, rules));
        let mails = services.mails().clone();
        let mail_numbers = move || {
            let figures = mails.figures();
            MailNumbers { attempts: figures.attempts().collect(), waiting: figures.waiting() }
        };
        let metrics = Metrics::new(move || pool.connections(), telemetry::dropped_lines, mail_numbers);
        services.start_jobs();
        let account_pages = config.mail.account_pages;
        let mut trusted = config.network.trusted_documents()?;
        if account_pages {
            let pages = TrustedDocuments::from_manifest(http::ACCOUNT_PAGE_OPERATIONS)?;
            trusted = trusted.map(|trusted| trusted.with_texts_of(pages));
        }
        let api = Api::new(
            services,
            config.limits.guard_limits(),
            StreamLimits {
                per_user: config.limits.limit_streams_per_user,
                operations_per_socket: config.limits.limit_socket_operations,
            },
            ExecutorSettings {
                persisted: PersistedDocuments::new(trusted),
                timeout: config.limits.request_timeout,
                introspection: config.network.introspection,
                response_bytes: config.limits.limit_unsent_bytes,
                public_fields: api::PUBLIC_QUERIES,
            },
        );
        let readiness = Readiness::default();
        let settings = HttpSettings {
            playground: config.network.graphiql,
            account_pages,
            cors_origins: config.network.cors_origins()?,
            trusted_proxies: config.network.trusted_proxies()?,
            streams: StreamSettings {
                total: config.limits.streams(),
                per_user: config.limits.limit_streams_per_user,
                operations_per_socket: config.limits.limit_socket_operations,
                keepalive: config.limits.stream_keepalive,
            },
        };
        let service = HttpService::new(api.clone(), readiness.clone(), metrics.clone(), settings);
        Ok(Self { service, api, readiness, metrics })
    }
}
