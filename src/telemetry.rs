//! The log: its format, its filter, and what may never be in it.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Libraries that would log statements with their values, or connection URLs, when asked to.
const HUSHED: [&str; 4] = ["sqlx=warn", "sea_orm=warn", "sea_orm_migration=info", "async_graphql=warn"];

/// Starts logging to standard output: pretty on a terminal, else JSON.
pub fn init(format: Option<LogFormat>, filter: &str) -> anyhow::Result<()> {
    let filter = HUSHED.iter().try_fold(EnvFilter::try_new(filter)?, |filter, directive| {
        anyhow::Ok(filter.add_directive(directive.parse()?))
    })?;
    let is_terminal = std::io::stdout().is_terminal();
    let builder = fmt().with_env_filter(filter).with_ansi(is_terminal).with_target(false);
    match format.unwrap_or(if is_terminal { LogFormat::Pretty } else { LogFormat::Json }) {
        LogFormat::Pretty => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).init(),
    }
    Ok(())
}
