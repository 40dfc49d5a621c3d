//! Options of the log.

use clap::Args;

use crate::telemetry::{LogFormat, validate_filter};

/// The format and the filter of the log.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Format of the log; if not set, pretty on a terminal and json otherwise
    #[arg(long, env, global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Log level: error, warn, info, debug or trace, or a filter by module like info,hyper=debug
    #[arg(long, env, global = true, value_name = "FILTER", default_value = "info", value_parser = validate_filter)]
    pub rust_log: String,
}
