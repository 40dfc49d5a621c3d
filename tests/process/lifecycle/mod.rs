//! Start, migrations, several instances on one database, and the graceful stop.

mod clock_jumps;
mod first_start;
mod instances;
mod migrations;
mod shared_sessions;
mod shutdown;
