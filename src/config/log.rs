//! Options of the log.

use clap::Args;

use crate::telemetry::{self, LogFormat};

/// The format and the filter of the log.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Format of the log. Without it: pretty on a terminal, else json
    #[arg(long, env, global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What is logged: error, warn, info, debug, trace, or a filter by module like info,hyper=debug
    #[arg(long, env, global = true, value_name = "FILTER", default_value = "info", value_parser = telemetry::validate_filter)]
    pub rust_log: String,
}
