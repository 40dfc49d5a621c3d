//! `taskhold migrate`: runs, reverts or lists the migrations.

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::app;
use crate::config::Config;

/// The argument of `taskhold migrate`.
#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum Direction {
    /// Run the pending migrations
    Up,
    /// Revert the newest migration
    Down,
    /// List the migrations with their state
    Status,
}

/// Changes the schema as requested, then prints every migration with its state.
pub async fn run(config: &Config, direction: Direction) -> Result<()> {
    let database = app::connect(config).await?;
    match direction {
        Direction::Up => database.migrate_up().await.context("the migration failed")?,
        Direction::Down => database.migrate_down().await.context("the migration failed")?,
        Direction::Status => {}
    }
    for (name, applied) in database.migrations().await? {
        println!("{} {name}", if applied { "applied" } else { "pending" });
    }
    Ok(())
}
