//! The command line: its commands and how they are run.

mod check;
mod healthcheck;
mod mail;
mod migrate;
mod open_files;
mod resync;
mod runtime;
mod user;

use std::env;
use std::error::Error;
use std::ffi::OsStr;

use anyhow::{Context, Result, anyhow};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::mail::MailAction;
use self::migrate::Direction;
use self::runtime::block_on;
use self::user::UserAction;
use crate::app;
use crate::config::{self, Config};
use crate::telemetry;

/// A GraphQL API service for tasks: register, log in, and own your tasks.
///
/// Without a command it runs the server. Without options the server stores an SQLite database and a
/// secret in ./data and listens on http://127.0.0.1:8000. With DATABASE_URL=postgres://… it uses
/// PostgreSQL. Each option can also be an environment variable or a line of the file .env; a flag
/// overrides the environment, which overrides .env. An empty value counts as not set.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand, Clone, Debug)]
enum Command {
    /// Run the migrations, then the server (the default command)
    Serve {
        /// Do not run the migrations
        #[arg(long)]
        no_migrate: bool,
    },
    /// Run, revert or list migrations, and do nothing else
    Migrate {
        #[arg(value_enum, default_value_t = Direction::Up)]
        direction: Direction,
    },
    /// Print the GraphQL schema
    Schema,
    /// Manage accounts: list, create, set-password, reset-link, verify-email, keys, revoke-keys, activate, deactivate
    ///
    /// The commands change the database directly; servers may run on it, and accept a revoked session for at
    /// most two seconds. WHO is an e-mail address, a username or an id; if it begins with a hyphen, put two
    /// hyphens before it: taskhold user deactivate -- -ann. A password is never an argument; it is read as
    /// one line from standard input: taskhold user create EMAIL < password.txt
    User {
        #[command(subcommand)]
        action: UserAction,
    },
    /// Look after the mails: status, retry, test
    ///
    /// Servers put mails in a queue in the database and send them with MAIL_URL, or write them to files in
    /// DATA_DIR/mail. A mail that the mail server did not take is tried again after 5 s, 30 s, 2 min, 10 min,
    /// 30 min and then every hour: for 1 hour if it has a link for a new password, for 24 hours if it has another
    /// link, for 72 hours otherwise. A mail that the mail server refused with a code from 500 has failed. Failed
    /// mails are kept for 7 days. The commands work on the database while servers run.
    Mail {
        #[command(subcommand)]
        action: MailAction,
    },
    /// Expire all cursors of task changes, so that clients read everything again
    ///
    /// Run it after a backup was restored, since clients may know more than the backup. Servers may run on the
    /// database; the clients of open subscriptions are told within a second.
    Resync,
    /// Check configuration, database and mail server, one line each; the exit code is 0 if all are in order
    Check,
    /// Request /readyz of the server at HOST and PORT; the exit code is 0 if the server is ready
    Healthcheck,
}

impl Cli {
    /// Reads .env, the environment and the command line. It changes the environment, so no other thread may
    /// run yet. It exits the process for --help, --version and errors of syntax.
    pub fn read() -> Result<Self> {
        config::load_env_file()?;
        let parsed = config::parse(Self::command(), env::args_os()).and_then(|matches| {
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut Self::command()))
        });
        parsed.map_err(|error| match invalid_value_message(&error) {
            Some(sentence) => anyhow!(sentence),
            None => error.exit(),
        })
    }

    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let mut config = self.config;
        match self.command.unwrap_or(Command::Serve { no_migrate: false }) {
            Command::Schema => {
                print!("{}", crate::api::sdl());
                Ok(())
            }
            Command::Serve { no_migrate } => {
                let log = telemetry::init(config.log.log_format, &config.log.rust_log);
                let _log = log.context("RUST_LOG and LOG_FORMAT: the log cannot be started")?;
                config.limits.lower_connections(open_files::connections_that_fit(
                    config.limits.limit_connections,
                    config.database.database_max_connections,
                ));
                block_on(app::serve(&config, !no_migrate))
            }
            Command::Migrate { direction } => block_on(migrate::run(&config, direction)),
            Command::User { action } => block_on(user::run(&config, action)),
            Command::Mail { action } => block_on(mail::run(&config, action)),
            Command::Resync => block_on(resync::run(&config)),
            Command::Check => block_on(check::run(&config)),
            Command::Healthcheck => healthcheck::run(&config),
        }
    }
}

/// The message for an invalid value of an option; None for other errors and for --help.
fn invalid_value_message(error: &clap::Error) -> Option<String> {
    if error.kind() == ErrorKind::InvalidUtf8 {
        let is_broken = |name: &&OsStr| env::var_os(name).is_some_and(|value| value.to_str().is_none());
        let broken = Cli::command().get_arguments().filter_map(Arg::get_env).find(is_broken)?.to_os_string();
        return Some(format!("{} must be text in UTF-8", broken.display()));
    }
    let text = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.as_str()),
        _ => None,
    };
    let option = text(ContextKind::InvalidArg)?.strip_prefix("--")?;
    let name = option.split(' ').next()?.replace('-', "_").to_uppercase();
    let rule = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => format!("must be {}", valid.join(" or ")),
        _ => error.source()?.to_string(),
    };
    Some(format!("{name} {rule}, not {:?}", text(ContextKind::InvalidValue)?))
}
