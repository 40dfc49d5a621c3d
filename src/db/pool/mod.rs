//! The connection pool for both kinds of databases. A connection returns to the pool only when it is known to
//! be clean; otherwise it is closed immediately.

mod acquire;
mod connections;
mod last_write;
mod lease;
mod manager;
mod writability;

pub use self::acquire::LivenessCheck;
pub use self::connections::Pool;
pub use self::lease::Lease;
pub use self::manager::Target;
