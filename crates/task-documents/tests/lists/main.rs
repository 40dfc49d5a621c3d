//! Task lists through the public functions of the crate: examples, properties, and hostile documents.

mod seeds;
