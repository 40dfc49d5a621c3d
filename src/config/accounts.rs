//! Options of accounts: signing secrets, lifetimes of tokens and sessions, registration.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{ArgAction, Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

use super::database::DatabaseOptions;
use super::secret;
use super::secret::SECRET_HINT;
use super::values::{TimeRange, positive_duration, time_within};
use crate::auth::{SigningSecret, SigningSecrets};
use crate::db::DatabaseUrl;

/// Signing secrets, lifetimes and registration.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Accounts")]
pub struct AccountOptions {
    /// Secret that signs the tokens: at least 32 bytes, at least 10 of them different. With SQLite it is
    /// generated in DATA_DIR; with PostgreSQL it is required
    #[arg(long, env, global = true, hide_env_values = true, value_name = "SECRET")]
    pub(super) better_auth_secret: Option<SecretString>,

    /// Several named secrets instead of one, for rotation: 2:new,1:old. The first signs, all verify
    #[arg(long, env, global = true, hide_env_values = true, value_name = "SECRETS")]
    pub(super) better_auth_secrets: Option<SecretString>,

    /// Algorithm that signs the tokens; only HS256 is supported
    #[arg(long, env, global = true, default_value = "HS256")]
    pub(super) jwt_algorithm: JwtAlgorithm,

    /// How long an access token is valid: 7d, or 15m for clients that refresh it
    #[arg(long, env, global = true, value_name = "TIME", default_value = "7d", value_parser = positive_duration)]
    pub access_token_ttl: Duration,

    /// How long a session can be extended with refreshToken
    #[arg(long, env, global = true, value_name = "TIME", default_value = "30d", value_parser = positive_duration)]
    pub session_ttl: Duration,

    /// Whether registration is open
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub registration_open: bool,

    /// Whether users must verify their e-mail address before they can change tasks or create API keys
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub require_verified_email: bool,

    /// How long the link of a mail for a new password works: 5s to 24h
    #[arg(long, env, global = true, value_name = "TIME", default_value = "1h", value_parser = time_within(RESET_TOKEN_TTL))]
    pub reset_token_ttl: Duration,

    /// How long the link of a mail that verifies an e-mail address works: 5s to 7d
    #[arg(long, env, global = true, value_name = "TIME", default_value = "24h", value_parser = time_within(VERIFY_TOKEN_TTL))]
    pub verify_token_ttl: Duration,

    /// Maximum lifetime of an API key: 1d to 3660d
    #[arg(long, env, global = true, value_name = "TIME", default_value = "366d", value_parser = time_within(API_KEY_MAX_TTL))]
    pub api_key_max_ttl: Duration,
}

/// The values that RESET_TOKEN_TTL may have, in seconds and in words.
const RESET_TOKEN_TTL: TimeRange = (5..=86_400, "5s to 24h");
/// The values that VERIFY_TOKEN_TTL may have.
const VERIFY_TOKEN_TTL: TimeRange = (5..=7 * 86_400, "5s to 7d");
/// The values that API_KEY_MAX_TTL may have.
const API_KEY_MAX_TTL: TimeRange = (86_400..=3_660 * 86_400, "1d to 3660d");

/// HS256 only: a server that accepts several algorithms can be made to use the weakest.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum JwtAlgorithm {
    #[value(name = "HS256")]
    Hs256,
}

impl AccountOptions {
    /// The signing secrets: those of the options, or with SQLite the one in DATA_DIR, which is created if
    /// missing.
    pub fn secrets(&self, database: &DatabaseOptions) -> Result<SigningSecrets> {
        match (&self.better_auth_secrets, &self.better_auth_secret) {
            (Some(_), Some(_)) => {
                bail!("BETTER_AUTH_SECRET and BETTER_AUTH_SECRETS are both set; use one of them")
            }
            (Some(secrets), None) => secret::parse_named_secrets(secrets.expose_secret()),
            (None, _) => self.single_secret(database).map(SigningSecrets::from),
        }
    }

    fn single_secret(&self, database: &DatabaseOptions) -> Result<SigningSecret> {
        let JwtAlgorithm::Hs256 = self.jwt_algorithm;
        match (&self.better_auth_secret, database.url()?) {
            (Some(secret), _) => SigningSecret::new(secret.expose_secret().as_bytes().to_vec())
                .map_err(|weakness| anyhow!("BETTER_AUTH_SECRET is too weak: {weakness}; {SECRET_HINT}")),
            (None, DatabaseUrl::Postgres(_)) => bail!(
                "BETTER_AUTH_SECRET must be set with PostgreSQL, since all instances share it; {SECRET_HINT}"
            ),
            (None, DatabaseUrl::Sqlite(_)) => {
                database.create_data_dir()?;
                let file = database.data_dir.join("secret");
                let secret = secret::load_or_create_secret(&file).with_context(|| {
                    format!("DATA_DIR: the secret in {} can be neither read nor created", file.display())
                })?;
                SigningSecret::new(secret.into_bytes()).map_err(|weakness| {
                    let file = file.display();
                    anyhow!("DATA_DIR: the secret in {file} is too weak: {weakness}; remove the file")
                })
            }
        }
    }
}
