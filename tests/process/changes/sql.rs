//! Statements on the database of a server, from a session of its own.

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::runtime::Runtime;

/// A session with a database of either kind.
pub struct Sql {
    connection: DatabaseConnection,
    runtime: Runtime,
}

impl Sql {
    pub fn open(url: &str) -> Self {
        let runtime = Runtime::new().expect("a runtime can be created");
        let mut options = ConnectOptions::new(url);
        options.max_connections(1);
        let connection = runtime.block_on(sea_orm::Database::connect(options));
        Self { connection: connection.expect("the database accepts connections"), runtime }
    }

    pub fn is_sqlite(&self) -> bool {
        self.connection.get_database_backend() == DbBackend::Sqlite
    }

    /// Runs statements that must succeed.
    pub fn run(&self, sql: &str) {
        self.runtime.block_on(self.connection.execute_unprepared(sql)).expect("the statements are valid");
    }

    /// Runs a query that returns one number.
    pub fn number(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        let row =
            self.runtime.block_on(self.connection.query_one_raw(statement)).expect("the query is valid");
        row.expect("there is a row").try_get_by_index(0).expect("it is a number")
    }
}
