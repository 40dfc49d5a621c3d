//! `taskhold check`: whether the server could start and send mails, without starting it.

use anyhow::{Result, anyhow};

use crate::app;
use crate::config::Config;

/// Checks the options, and connects to the database and to the mail server; prints one line for each.
pub async fn run(config: &Config) -> Result<()> {
    config.check()?;
    let url = config.database.url()?;
    match url.ignored_parameters() {
        [] => println!("configuration: ok"),
        ignored => {
            println!("configuration: ok; DATABASE_URL has parameters without effect: {}", ignored.join(", "));
        }
    }
    let database = app::connect(config).await?;
    let migrations = database.migrations().await?;
    match migrations.iter().filter(|(_, applied)| !applied).count() {
        0 => println!("database: ok, {url}, up to date"),
        1 => println!("database: ok, {url}, 1 migration is missing; the server runs it when it starts"),
        pending => println!(
            "database: ok, {url}, {pending} migrations are missing; the server runs them when it starts"
        ),
    }
    let mailer = app::mailer(config, config.network.listen())?;
    match (mailer.check().await, mailer.folder()) {
        (Ok(_), Some(folder)) => println!("mail: ok, files in {folder}"),
        (Ok(server), None) => println!("mail: ok, {server}"),
        (Err(error), Some(folder)) => return Err(anyhow!("DATA_DIR: {error}: {folder}")),
        (Err(error), None) => return Err(anyhow!("MAIL_URL: {error}")),
    }
    Ok(())
}
