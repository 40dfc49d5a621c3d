//! Options, signing secrets, and errors in the configuration.

mod options;
mod signing_secrets;
pub(super) mod startup_errors;
