//! Dependencies between tasks: the loader of what waits for what, the payload, and the mutations.

pub mod loader;
mod mutation;

pub use mutation::DependencyMutation;
