//! `taskhold resync`: expires the cursors of task changes.

use anyhow::{Context, Result};

use crate::app;
use crate::config::Config;
use crate::service::Operator;

/// Expires all cursors given out so far and prints how many accounts that concerns.
pub async fn run(config: &Config) -> Result<()> {
    let database = app::connect(config).await?;
    database.migrate_up().await.context("DATABASE_URL: the database could not be migrated")?;
    let accounts = Operator::new(database).resync().await?;
    println!("All cursors are expired (accounts: {accounts}). Clients read everything again.");
    Ok(())
}
