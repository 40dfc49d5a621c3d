//! The time limits of connections, statements and locks that several files use.

use std::time::Duration;

/// The maximum time that a statement waits for a connection.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum execution time of a statement, enforced by the database.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time that this process waits for the result of a statement. The database stops the statement
/// earlier, unless it never received the statement or the result was lost.
pub const STATEMENT_REPLY_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));
/// The maximum time that a connection may take to reply when neither rows nor locks are involved. After an
/// outage the first request must succeed within one second; this value leaves time to open another
/// connection.
pub const PING_TIMEOUT: Duration = Duration::from_millis(700);
/// The maximum time that a statement outside a transaction waits for a lock. Such a statement may be shared
/// by several users, and only the user whose row is locked should wait longer.
pub const SHARED_LOCK_TIMEOUT: Duration = Duration::from_millis(250);
/// The maximum time that a statement for one user waits for a lock. PostgreSQL applies this limit to each
/// lock, and a row may need two: one on the row, and one on the transaction that is changing it. So a
/// statement waits at most 2 s: twice [`SHARED_LOCK_TIMEOUT`] outside a transaction, and then twice this
/// limit inside one.
pub const LOCK_TIMEOUT: Duration = Duration::from_millis(750);
/// PostgreSQL ends a transaction after this time without a statement, so that the locks of a client that no
/// longer replies are released.
pub const IDLE_IN_TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
