//! Task documents as their users see them: what is read, what is written, and what is reported.

mod changes;
mod diagnostics;
mod generate;
#[path = "../limits/mod.rs"]
mod limits;
mod properties;
mod reading;
mod support;
mod template;
