//! The log: its format, its filter, and what may never be in it.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Libraries that would log statements with their values, or documents with their literals. No filter
/// makes them say more than warnings.
const HUSHED: [&str; 3] = ["sqlx", "sea_orm::", "async_graphql"];

/// Checks a filter. A blank one is as good as none given.
pub fn filter(text: &str) -> anyhow::Result<String> {
    let text = if text.trim().is_empty() { "info" } else { text };
    let valid = EnvFilter::try_new(text).is_ok();
    anyhow::ensure!(valid, "must be error, warn, info, debug, trace, or a filter like info,hyper=debug");
    Ok(text.to_owned())
}

/// Starts logging to standard output: pretty on a terminal, else JSON.
pub fn init(format: Option<LogFormat>, filter: &str) -> anyhow::Result<()> {
    let is_terminal = std::io::stdout().is_terminal();
    let builder =
        fmt().with_env_filter(EnvFilter::try_new(filter)?).with_ansi(is_terminal).with_target(false);
    let hushed = filter_fn(|line| {
        *line.level() <= Level::WARN || !HUSHED.iter().any(|library| line.target().starts_with(library))
    });
    match format.unwrap_or(if is_terminal { LogFormat::Pretty } else { LogFormat::Json }) {
        LogFormat::Pretty => builder.finish().with(hushed).init(),
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(false).finish().with(hushed).init();
        }
    }
    Ok(())
}
