//! Task lists through the public functions of the crate: examples, properties, and hostile documents.

mod diagnostics;
mod generated;
mod hostile;
mod properties;
mod reading;
mod seeds;
mod writing;
