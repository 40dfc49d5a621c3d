//! Parse the command line, run, exit.

use std::process::ExitCode;

use taskhold::cli::Cli;
use taskhold::config::load_env_file;

/// Much is taken and given back for each request, and musl's own is slower still.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match load_env_file().and_then(|()| Cli::read()).and_then(Cli::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("taskhold: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// What happened and its cause. Between them stand the libraries' own words for the same.
fn one_line(error: &anyhow::Error) -> String {
    let (sentence, cause) = (error.to_string(), error.root_cause().to_string());
    if sentence == cause { sentence } else { format!("{sentence}: {cause}") }
}
