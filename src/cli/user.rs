//! `taskhold user …`: the commands with which an operator manages accounts.

use std::io::{IsTerminal, stdin};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;

use crate::app;
use crate::config::Config;
use crate::domain::{
    ApiKey, DisplayName, Email, Faults, Instant, NewPassword, Registration, Scope, User, Username,
};
use crate::service::Operator;

/// The actions of `taskhold user`.
#[derive(Subcommand, Clone, Debug)]
pub enum UserAction {
    /// List every account
    List,
    /// Create an account, even if registration is closed
    Create {
        /// E-mail address; upper and lower case are the same
        email: String,
        /// Display name
        #[arg(long)]
        name: Option<String>,
        /// Username; derived from the e-mail address if not given
        #[arg(long)]
        username: Option<String>,
        /// Mark the e-mail address as verified
        #[arg(long)]
        verified: bool,
    },
    /// Set a new password, and revoke every session and every API key of the user
    SetPassword {
        /// E-mail address, username or id
        who: String,
        /// Do not revoke the API keys
        #[arg(long)]
        keep_keys: bool,
    },
    /// Mark the e-mail address of a user as verified
    VerifyEmail {
        /// E-mail address, username or id
        who: String,
    },
    /// Print a link with which the user sets a new password
    ///
    /// It works once, for RESET_TOKEN_TTL, like the link of a mail. Nothing else is printed on standard output.
    ResetLink {
        /// E-mail address, username or id
        who: String,
    },
    /// List the API keys of a user: id, start, scopes, created, expires, last used, name
    Keys {
        /// E-mail address, username or id
        who: String,
    },
    /// Revoke every API key of a user, and print how many there were
    RevokeKeys {
        /// E-mail address, username or id
        who: String,
    },
    /// Allow a user to sign in again
    Activate {
        /// E-mail address, username or id
        who: String,
    },
    /// Prevent a user from signing in, revoke every session of the user, and suspend the API keys
    Deactivate {
        /// E-mail address, username or id
        who: String,
    },
}

/// Performs the action and prints the accounts that it concerns, one a line.
pub async fn run(config: &Config, action: UserAction) -> Result<()> {
    let database = app::connect(config).await?;
    database.migrate_up().await.context("DATABASE_URL: the database could not be migrated")?;
    let operator = Operator::new(database);
    let users = match action {
        UserAction::List => operator.list().await?,
        UserAction::Create { email, name, username, verified } => {
            let registration = registration(&email, name.as_deref(), username.as_deref())?;
            vec![operator.create(&registration, verified).await?]
        }
        UserAction::SetPassword { who, keep_keys } => {
            vec![operator.set_password(&who, &new_password()?, keep_keys).await?]
        }
        UserAction::VerifyEmail { who } => vec![operator.verify_email(&who).await?],
        UserAction::ResetLink { who } => {
            println!("{}", app::reset_link(config, &operator, &who).await?);
            return Ok(());
        }
        UserAction::Keys { who } => {
            print_keys(&operator.api_keys(&who).await?);
            return Ok(());
        }
        UserAction::RevokeKeys { who } => {
            println!("revoked: {}", operator.revoke_api_keys(&who).await?);
            return Ok(());
        }
        UserAction::Activate { who } => vec![operator.set_active(&who, true).await?],
        UserAction::Deactivate { who } => vec![operator.set_active(&who, false).await?],
    };
    let widest = users.iter().map(|user| user.username.len()).max().unwrap_or_default();
    for User { id, email, username, is_active, .. } in users {
        let state = if is_active { "active" } else { "inactive" };
        println!("{id}  {state:8}  {username:widest$}  {email}");
    }
    Ok(())
}

/// Prints one line for each key. The name is last, because the user chose it.
fn print_keys(keys: &[ApiKey]) {
    let minute = |time: Instant| time.format("%Y-%m-%dT%H:%MZ").to_string();
    for key in keys {
        let scopes: Vec<&str> = key.scopes.chosen().map(Scope::name).collect();
        let (created, expires) = (minute(key.created_at), minute(key.expires_at));
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), minute);
        let (id, start, scopes, name) = (key.id, &key.start, scopes.join(","), key.name.escape_debug());
        println!("{id}  {start}  {scopes}  {created}  {expires}  {used}  {name}");
    }
}

/// Checks the arguments, then reads the password. Errors: all invalid arguments together.
fn registration(email: &str, name: Option<&str>, username: Option<&str>) -> Result<Registration> {
    let mut faults = Faults::default();
    let email = faults.check("email", Email::parse(email));
    let username = username.map(|raw| faults.check("username", Username::parse(raw)));
    let fallback = username.as_ref().and_then(Option::as_ref).map(Username::as_str);
    let local = email.as_ref().map(Email::local_part);
    let name = name.or(fallback).or(local).map(DisplayName::parse);
    let name = name.and_then(|name| faults.check("name", name));
    faults.into_result()?;
    let password = new_password()?;
    let (email, name) = email.zip(name).context("an e-mail address is needed")?;
    Ok(Registration { email, password, name, username: username.flatten() })
}

/// Reads a password from standard input, after a prompt if that is a terminal.
fn new_password() -> Result<NewPassword> {
    if stdin().is_terminal() {
        eprint!("Password: ");
    }
    let mut line = String::new();
    let read = stdin().read_line(&mut line).context("standard input cannot be read")?;
    ensure!(read > 0, "there is no password on standard input; it is read as one line");
    let mut faults = Faults::default();
    let password = NewPassword::parse(&mut faults, "password", line.trim_end_matches(['\r', '\n']));
    Ok(faults.finish(password)?)
}
