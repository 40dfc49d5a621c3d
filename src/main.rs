//! Parse the command line, run, exit.

use std::process::ExitCode;

use clap::Parser;
use taskhold::cli::Cli;

fn main() -> ExitCode {
    if let Err(error) = taskhold::config::load_env_file() {
        eprintln!("taskhold: {error:#}");
        return ExitCode::FAILURE;
    }
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("taskhold: {error:#}");
            ExitCode::FAILURE
        }
    }
}
