//! Live changes with several clients and instances at the same time: no client misses a change or receives one
//! twice.

mod completeness;
mod contention;
mod follower;
mod random;
mod resync;
mod sql;
mod writers;
