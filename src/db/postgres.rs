//! How PostgreSQL is connected to: with our limits of time, and only where it accepts writes.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions, Row};
use sea_orm::{DbErr, RuntimeErr};

use super::connection::STATEMENT_TIMEOUT;
use super::error::is_protocol_violation;

/// How long a statement outside a transaction waits for a lock. Such a statement may be shared by several
/// users, of whom only one is to wait for a lock that somebody holds on a row of theirs.
pub const SHARED_LOCK_TIMEOUT: Duration = Duration::from_millis(250);
/// How long a statement waits for a lock that concerns one user alone. PostgreSQL counts this for each lock,
/// and a row can take two: one on the row and one on the transaction that changes it. So a statement waits at
/// most 2 s: twice [`SHARED_LOCK_TIMEOUT`] alone, then twice this in a transaction.
pub const LOCK_TIMEOUT: Duration = Duration::from_millis(750);
/// After this time without a statement PostgreSQL ends a transaction, so that its locks are free again when
/// its client has fallen silent.
pub const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// What has to be known of a new session: whether its server accepts writes, its encoding, and whether it
/// has the limits that were asked for.
const SESSION_SETTINGS_SQL: &str = "SELECT current_setting('transaction_read_only'), current_setting('server_encoding'), \
                       current_setting('lock_timeout')";

/// Connects to one database.
#[derive(Debug)]
pub struct PostgresConnector {
    options: PgConnectOptions,
    /// Set once a pooler has refused our limits of time.
    is_pooler: AtomicBool,
}

impl PostgresConnector {
    pub fn new(url: &str) -> Result<Self, sqlx::Error> {
        Ok(Self { options: options(url)?, is_pooler: AtomicBool::new(false) })
    }

    /// How a connection without our limits of time is opened.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Opens a connection to a server that accepts writes, and tells whether its session has our limits.
    pub async fn connect(&self) -> Result<(PgConnection, bool), DbErr> {
        let mut connection = self.open().await.map_err(connect_error)?;
        let session =
            sqlx::raw_sql(SESSION_SETTINGS_SQL).fetch_one(&mut connection).await.map_err(connect_error)?;
        let setting = |index: usize| session.try_get::<String, _>(index).map_err(connect_error);
        if setting(0)? == "on" {
            return Err(unusable_server(
                "the server accepts no writes: it is a standby, or set to read only",
            ));
        }
        let encoding = setting(1)?;
        if encoding != "UTF8" {
            return Err(unusable_server(&format!(
                "the encoding of the database is {encoding}, and must be UTF8"
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
            // A pooler refuses start-up parameters that it does not know.
            Err(error) if is_protocol_violation(&error) => {
                let connection = self.options.connect().await?;
                if !self.is_pooler.swap(true, Ordering::Relaxed) {
                    tracing::info!("a pooler is in front: set statement_timeout on the database role");
                }
                Ok(connection)
            }
            opened => opened,
        }
    }
}

/// How every connection to a database is opened, without limits of time.
fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    Ok(PgConnectOptions::from_str(url)?
        // A pooler refuses start-up parameters that it does not know.
        .extra_float_digits(None)
        .application_name("taskhold")
        // Statements hold values, and values are the users' own.
        .disable_statement_logging())
}

fn connect_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

fn unusable_server(reason: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(reason.to_owned()))
}
