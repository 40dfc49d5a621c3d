//! Task lists through the public functions of the crate: examples and properties.

mod dependencies;
mod diagnostics;
mod generated;
mod properties;
mod reading;
mod seeds;
mod waiting;
mod writing;
