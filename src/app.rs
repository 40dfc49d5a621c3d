//! The composition root: from the configuration to a running server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use axum::Router;
use chrono::TimeDelta;

use crate::config::Config;
use crate::db::{Database, DatabaseUrl};
use crate::domain::Clock;
use crate::graphql::{Endpoint, Persisted};
use crate::http::{self, Metrics, Readiness};
use crate::identity::Tokens;
use crate::service::{AccountRules, Services};

/// How long the database may take to be closed, after the last request has been answered.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the server until it is told to stop.
pub async fn serve(config: &Config, migrate: bool) -> Result<()> {
    config.check()?;
    // Before the database is touched: a port that is taken is often taken by ourselves.
    let address = config.listen();
    let listener = http::listen(address)
        .map_err(|error| anyhow!("HOST and PORT: cannot listen on {address}: {error}; choose others"))?;
    let scraped = config.metrics_bind.map(|address| {
        http::listen(address)
            .map_err(|error| anyhow!("METRICS_BIND: cannot listen on {address}: {error}; choose another"))
    });
    let scraped = scraped.transpose()?;
    let database = connect(config).await?;
    if migrate {
        let failure = || format!("{}: the database cannot be migrated", config.database_option());
        database.migrate_up().await.with_context(failure)?;
    }
    let app = App::new(config, database.clone(), Clock::default())?;
    if let Some(listener) = scraped {
        http::serve_metrics(listener, app.metrics.clone())?;
    }
    let close = async {
        if tokio::time::timeout(CLOSE_TIMEOUT, database.close()).await.is_err() {
            tracing::warn!("the database was not closed within {CLOSE_TIMEOUT:?}");
        }
    };
    http::serve(listener, app, config.limit_connections, config.shutdown_grace, close).await
}

/// Opens the configured database.
pub async fn connect(config: &Config) -> Result<Database> {
    let url = config.database()?;
    Database::connect(&url, config.database_max_connections).await.map_err(|error| {
        let remedy = match url {
            DatabaseUrl::Sqlite(_) => "it must be a database in a folder to read and write",
            DatabaseUrl::Postgres(_) => "see that it runs, and that address, user and password are right",
        };
        anyhow!("{}: cannot open {url}: {}; {remedy}", config.database_option(), error.root_cause())
    })
}

/// The service, ready to be served or tested.
pub struct App {
    /// Everything that answers HTTP requests.
    pub router: Router,
    /// The operations behind it.
    pub endpoint: Endpoint,
    /// What /readyz says.
    pub readiness: Readiness,
    /// What is counted of it.
    pub metrics: Metrics,
}

impl App {
    /// Puts the rooms together on an open, migrated database.
    pub fn new(config: &Config, database: Database, clock: Clock) -> Result<Self> {
        let secrets = config.secrets(&config.database()?)?;
        let span = |duration| TimeDelta::from_std(duration).context("a lifetime is out of range");
        let tokens = Tokens::new(&secrets, span(config.access_token_ttl)?);
        let rules = AccountRules {
            registration_open: config.registration_open,
            session_lifetime: span(config.session_ttl)?,
            login_failures: config.limit_login_failures,
            credentials_per_minute: config.limit_credentials_per_minute,
        };
        let pool = database.clone();
        let metrics = Metrics::new(move || pool.connections());
        let services = Arc::new(Services::new(database, clock, tokens, &rules));
        services.start_jobs();
        let persisted = Persisted::new(config.trusted_documents()?);
        let (limits, timeout) = (config.limits(), config.request_timeout);
        let endpoint = Endpoint::new(services, limits, persisted, timeout, config.introspection);
        let readiness = Readiness::default();
        let router = http::router(
            endpoint.clone(),
            readiness.clone(),
            metrics.clone(),
            config.graphiql,
            &config.cors_origins()?,
            config.trusted_proxies()?,
        );
        Ok(Self { router, endpoint, readiness, metrics })
    }
}
