//! Opens connections to PostgreSQL: sets time limits, and rejects servers that do not accept writes.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions, Row};
use sea_orm::{DbErr, RuntimeErr};

use super::error::is_protocol_violation;
use super::timeouts::{SHARED_LOCK_TIMEOUT, STATEMENT_TIMEOUT};

/// Reads the properties of a new session: whether its server accepts writes, its encoding, and whether it has
/// the requested time limits.
const SESSION_SETTINGS_SQL: &str = "SELECT current_setting('transaction_read_only'), \
     current_setting('server_encoding'), current_setting('lock_timeout')";

/// Opens connections to one database.
#[derive(Debug)]
pub struct PostgresConnector {
    options: PgConnectOptions,
    /// Set once a pooler has rejected the time limits.
    is_pooler: AtomicBool,
}

impl PostgresConnector {
    pub fn new(url: &str) -> Result<Self, sqlx::Error> {
        Ok(Self { options: options(url)?, is_pooler: AtomicBool::new(false) })
    }

    /// The connection options without time limits.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Opens a connection to a server that accepts writes. The second value is true when the session has the
    /// time limits.
    pub async fn connect(&self) -> Result<(PgConnection, bool), DbErr> {
        let mut connection = self.open().await.map_err(connect_error)?;
        let session =
            sqlx::raw_sql(SESSION_SETTINGS_SQL).fetch_one(&mut connection).await.map_err(connect_error)?;
        let setting = |index: usize| session.try_get::<String, _>(index).map_err(connect_error);
        if setting(0)? == "on" {
            return Err(unusable_server(
                "the server does not accept writes: it is a standby or set to read-only",
            ));
        }
        let encoding = setting(1)?;
        if encoding != "UTF8" {
            return Err(unusable_server(&format!(
                "the encoding of the database must be UTF8 and is {encoding}"
            )));
        }
        let has_session_limits = setting(2)? == format!("{}ms", SHARED_LOCK_TIMEOUT.as_millis());
        Ok((connection, has_session_limits))
    }

    async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        if self.is_pooler.load(Ordering::Relaxed) {
            return self.options.connect().await;
        }
        let limits = [("statement_timeout", STATEMENT_TIMEOUT), ("lock_timeout", SHARED_LOCK_TIMEOUT)]
            .map(|(name, limit)| (name, limit.as_millis().to_string()));
        match self.options.clone().options(limits).connect().await {
            // Poolers reject startup parameters that they do not support.
            Err(error) if is_protocol_violation(&error) => {
                let connection = self.options.connect().await?;
                if !self.is_pooler.swap(true, Ordering::Relaxed) {
                    tracing::info!(
                        "the database is behind a connection pooler: set statement_timeout on the database role"
                    );
                }
                Ok(connection)
            }
            opened => opened,
        }
    }
}

/// The options of every connection, without time limits.
fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(PgConnectOptions::from_str(url)?
        // Poolers reject startup parameters that they do not support.
        .extra_float_digits(None)
        .application_name("taskhold")
        // Statements may contain data of users, which must not be logged.
        .disable_statement_logging())
}

fn connect_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

fn unusable_server(reason: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(reason.to_owned()))
}
