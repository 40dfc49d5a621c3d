//! `taskhold mail …`: the commands with which an operator manages the queue of mails.

use anyhow::{Context, Result, anyhow};
use clap::Subcommand;

use crate::app;
use crate::config::Config;
use crate::domain::{Clock, new_id};
use crate::service::{Operator, WaitingMails};

/// The actions of `taskhold mail`.
#[derive(Subcommand, Clone, Debug)]
pub enum MailAction {
    /// Print how many mails wait and how many failed, and the age of the oldest
    Status,
    /// Try the failed mails again that are not too old
    Retry,
    /// Send one mail and print the result; the exit code is 0 if it was sent
    Test {
        /// E-mail address
        address: String,
    },
}

/// Performs the action.
pub async fn run(config: &Config, action: MailAction) -> Result<()> {
    match action {
        MailAction::Status => {
            let operator = operator(config).await?;
            println!("waiting: {}", described(operator.waiting_mails().await?));
            println!("failed: {}", described(operator.failed_mails().await?));
        }
        MailAction::Retry => match operator(config).await?.retry_failed_mails().await? {
            1 => println!("1 failed mail is tried again"),
            count => println!("{count} failed mails are tried again"),
        },
        MailAction::Test { address } => test(config, &address).await?,
    }
    Ok(())
}

async fn operator(config: &Config) -> Result<Operator> {
    let database = app::connect(config).await?;
    database.migrate_up().await.context("DATABASE_URL: the database could not be migrated")?;
    Ok(Operator::new(database))
}

fn described(WaitingMails { count, oldest }: WaitingMails) -> String {
    match oldest.and_then(|age| age.to_std().ok()) {
        None => count.to_string(),
        Some(age) => {
            let seconds = std::time::Duration::from_secs(age.as_secs());
            format!("{count}, the oldest was queued {} ago", humantime::format_duration(seconds))
        }
    }
}

async fn test(config: &Config, address: &str) -> Result<()> {
    config.check()?;
    let mailer = app::mailer(config, config.network.listen())?;
    let attempt = mailer.send_test(address, new_id(), Clock::default().now()).await;
    let result = attempt.result.clone();
    attempt.close().await;
    let delivery = result.map_err(|error| anyhow!("the mail was not sent: {error}"))?;
    match (delivery.file, mailer.folder()) {
        (Some(file), Some(folder)) => println!("written: {folder}/{file}"),
        _ => {
            println!("sent: the mail server took the mail (code {})", delivery.smtp_code.unwrap_or_default());
        }
    }
    Ok(())
}
