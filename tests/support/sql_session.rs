//! A separate session with PostgreSQL, such as an operator opens with psql.

use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection};
use tokio::runtime::{Builder, Runtime};

/// One connection to a PostgreSQL database. Dropping it ends its transactions and locks.
pub struct SqlSession {
    connection: PgConnection,
    runtime: Runtime,
}

impl SqlSession {
    /// Opens a session; fails if the database accepts no connections.
    pub fn open(url: &str) -> sqlx::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let connection = runtime.block_on(PgConnection::connect(url))?;
        Ok(Self { connection, runtime })
    }

    /// Runs statements and returns the error of the database.
    pub fn try_run(&mut self, sql: &str) -> sqlx::Result<()> {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql));
        self.runtime.block_on(statements.execute(&mut self.connection)).map(drop)
    }

    /// Runs statements that must succeed.
    pub fn run(&mut self, sql: &str) {
        self.try_run(sql).expect("the statements are valid");
    }

    /// Runs a query that returns one number.
    pub fn number(&mut self, sql: &str) -> i64 {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        self.runtime.block_on(query.fetch_one(&mut self.connection)).expect("the query is valid")
    }
}
