//! The program's entry point: reads the options, runs the command, reports its error.

use std::process::ExitCode;

use taskhold::cli::Cli;

/// Requests allocate heavily; the system's allocators, above all that of musl, are slower.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Cli::read().and_then(Cli::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("taskhold: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its root cause in one line. The causes between them repeat the same in the libraries' words.
fn one_line(error: &anyhow::Error) -> String {
    let (sentence, cause) = (error.to_string(), error.root_cause().to_string());
    if sentence == cause { sentence } else { format!("{sentence}: {cause}") }
}
