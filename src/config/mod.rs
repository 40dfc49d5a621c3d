//! Every option of the program, in groups, and the checks that concern more than one option.

mod accounts;
mod database;
mod limits;
mod log;
mod mail;
mod network;
mod origin;
mod secret;
mod sources;
mod values;

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, FromArgMatches};

use self::accounts::AccountOptions;
use self::database::DatabaseOptions;
use self::limits::LimitOptions;
use self::log::LogOptions;
use self::mail::MailOptions;
use self::network::NetworkOptions;
pub use self::sources::{load_env_file, parse};

/// The options. Each is a flag, an environment variable or a line of .env. A flag overrides the environment,
/// which overrides .env, and an empty value counts as not set.
#[derive(Args, Clone, Debug)]
pub struct Config {
    #[command(flatten)]
    pub database: DatabaseOptions,
    #[command(flatten)]
    pub network: NetworkOptions,
    #[command(flatten)]
    pub accounts: AccountOptions,
    #[command(flatten)]
    pub mail: MailOptions,
    #[command(flatten)]
    pub limits: LimitOptions,
    #[command(flatten)]
    pub log: LogOptions,
}

impl Config {
    /// Reads the options from flags, and those without a flag from the environment.
    pub fn from_flags<'a>(flags: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let command = Self::augment_args(clap::Command::new("taskhold").no_binary_name(true));
        Ok(Self::from_arg_matches(&parse(command, flags.into_iter().map(OsString::from))?)?)
    }

    /// Checks everything that the parsers of single values cannot check. It may create
    /// DATA_DIR and its secret.
    pub fn check(&self) -> Result<()> {
        self.database.url()?;
        self.accounts.secrets(&self.database)?;
        self.mail.destination(&self.database)?;
        self.mail.sender()?;
        self.mail.links(self.network.listen())?;
        self.limits.check()?;
        self.network.trusted_proxies()?;
        self.network.trusted_documents()?;
        self.network.cors_origins().map(drop)
    }
}
