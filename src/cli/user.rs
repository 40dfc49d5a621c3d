//! `taskhold user …`: the commands with which an operator manages accounts.

use std::io::{IsTerminal, stdin};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;

use crate::app;
use crate::config::Config;
use crate::domain::{DisplayName, Email, Faults, NewPassword, Registration, User, Username};
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
    },
    /// Set a new password and revoke every session of the user
    SetPassword {
        /// E-mail address, username or id
        who: String,
    },
    /// Allow a user to sign in again
    Activate {
        /// E-mail address, username or id
        who: String,
    },
    /// Prevent a user from signing in and revoke every session of the user
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
        UserAction::Create { email, name, username } => {
            let registration = registration(&email, name.as_deref(), username.as_deref())?;
            vec![operator.create(&registration).await?]
        }
        UserAction::SetPassword { who } => vec![operator.set_password(&who, &new_password()?).await?],
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
