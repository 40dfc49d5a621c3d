//! The tokio runtime of a command: the priority of its threads, and its end.

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// How much the niceness of the runtime's threads is above that of the process. The runtime has one thread
/// more than there are cores left by password hashing; at the same priority the few hashing threads would get
/// little CPU time when all threads are busy.
#[cfg(target_os = "linux")]
const NICENESS_INCREMENT: i32 = 6;

/// How many tasks a busy thread runs before it polls for I/O events (tokio's default is 61). New connections
/// are among these events, and they must not wait long for admission.
const EVENT_INTERVAL_TASKS: u32 = 11;

/// Runs an asynchronous command to its end on a new runtime.
pub fn block_on(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = build()?;
    let result = runtime.block_on(command);
    // A DNS lookup without a response blocks a thread; waiting for it would delay the exit.
    runtime.shutdown_background();
    result
}

fn build() -> Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    #[cfg(target_os = "linux")]
    if let Ok(own) = rustix::process::getpriority_process(None) {
        builder.on_thread_start(move || {
            if let Err(error) = rustix::process::setpriority_process(None, own + NICENESS_INCREMENT) {
                tracing::debug!(%error, "the priority of a runtime thread cannot be lowered");
            }
        });
    }
    builder.event_interval(EVENT_INTERVAL_TASKS).enable_all().build().context("no threads could be started")
}
