//! `taskhold migrate`: runs, reverts or lists the migrations.

use anyhow::{Context, Result};

use crate::app;
use crate::cli::Direction;
use crate::config::Config;

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
