//! The log: its format, its filter, and the messages that it must not contain.

mod json_layer;
mod writer;

use std::io::{self, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use json_layer::JsonLayer;
pub use writer::LogGuard;
use writer::LogWriter;

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// The number of log lines that were dropped since the process started.
static DROPPED_LINES: AtomicU64 = AtomicU64::new(0);

/// Libraries that would log statements with their values, or documents with their literals. Only their
/// warnings and errors are logged, even if the filter allows more.
const QUIET_TARGETS: [&str; 3] = ["sqlx", "sea_orm::", "async_graphql"];

/// Parses a filter of log lines; a blank one is `info`.
pub fn validate_filter(text: &str) -> anyhow::Result<String> {
    let text = if text.trim().is_empty() { "info" } else { text };
    let valid = EnvFilter::try_new(text).is_ok();
    anyhow::ensure!(valid, "must be error, warn, info, debug, trace, or a filter like info,hyper=debug");
    Ok(text.to_owned())
}

/// Starts logging to standard output. The default format is pretty on a terminal and JSON otherwise. Dropping
/// the guard writes the last lines.
pub fn init(format: Option<LogFormat>, filter: &str) -> anyhow::Result<LogGuard> {
    let is_terminal = io::stdout().is_terminal();
    let (writer, guard) = LogWriter::start(standard_output()?, &DROPPED_LINES)?;
    let quiet_libraries = filter_fn(|line| {
        *line.level() <= Level::WARN
            || !QUIET_TARGETS.iter().any(|library| line.target().starts_with(library))
    });
    let log = tracing_subscriber::registry().with(EnvFilter::try_new(filter)?).with(quiet_libraries);
    match format.unwrap_or(if is_terminal { LogFormat::Pretty } else { LogFormat::Json }) {
        LogFormat::Pretty => {
            let text = fmt::layer().with_ansi(is_terminal).with_target(false).with_writer(writer);
            log.with(text).init();
        }
        LogFormat::Json => log.with(JsonLayer::new(writer)).init(),
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(guard)
}

/// How many log lines were dropped since the process started, because standard output was not read.
pub fn dropped_lines() -> u64 {
    DROPPED_LINES.load(Ordering::Relaxed)
}

/// Standard output without the standard library's lock: the log thread would hold it while it waits for a
/// reader.
#[cfg(unix)]
fn standard_output() -> io::Result<impl Write + Send + 'static> {
    use std::os::fd::AsFd;
    Ok(std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn standard_output() -> io::Result<impl Write + Send + 'static> {
    Ok(io::stdout())
}

/// Logs the location of a panic but not its message, which may quote text that a user wrote.
fn log_panic(panic: &PanicHookInfo<'_>) {
    tracing::error!(location = panic.location().map(ToString::to_string), "a thread panicked");
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, set_hook, take_hook};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_its_message() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(JsonLayer::new({
            let log = log.clone();
            move || Line(log.clone())
        }));
        let usual = take_hook();
        set_hook(Box::new(log_panic));
        let panicked =
            tracing::subscriber::with_default(subscriber, || catch_unwind(|| panic!("a user's secret")));
        set_hook(usual);
        assert!(panicked.is_err());
        let log = String::from_utf8(log.lock().expect("no holder panics").clone()).expect("text");
        assert!(log.contains("src/telemetry/mod.rs:") && !log.contains("secret"), "{log}");
    }

    struct Line(Arc<Mutex<Vec<u8>>>);

    impl Write for Line {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no holder panics").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
