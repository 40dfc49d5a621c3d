//! A PostgreSQL database of a test's own, for programs that open it themselves.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{SqlSession, postgres};

/// A PostgreSQL database that is gone after the test.
pub struct PostgresDatabase {
    pub url: String,
    name: String,
    admin: DatabaseConnection,
    runtime: Runtime,
}

impl PostgresDatabase {
    /// An empty database; None where there is no PostgreSQL.
    pub fn new() -> Option<Self> {
        Self::create("")
    }

    /// An empty database in another encoding than UTF8.
    pub fn with_encoding(encoding: &str) -> Option<Self> {
        let locale = "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
        Self::create(&format!("ENCODING '{encoding}' {locale}"))
    }

    fn create(options: &str) -> Option<Self> {
        let server = postgres::server_url()?;
        let runtime = Runtime::new().expect("threads can be started");
        let admin = runtime.block_on(sea_orm::Database::connect(server)).expect("the test server answers");
        let name = format!("taskhold_test_{}", Uuid::new_v4().simple());
        let (host, _) = server.rsplit_once('/').expect("the URL names a database");
        let database = Self { url: format!("{host}/{name}"), name, admin, runtime };
        database.administer("CREATE DATABASE", options);
        Some(database)
    }

    fn administer(&self, statement: &str, options: &str) {
        let sql = format!("{statement} {} {options}", self.name);
        let done = self.runtime.block_on(self.admin.execute_unprepared(&sql));
        done.expect("the statement is valid");
    }

    /// Ends every connection to the database and lets nobody in.
    pub fn close(&self) {
        self.allow("false");
        let sql =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        self.runtime.block_on(self.admin.execute_unprepared(&sql)).expect("the statement is valid");
    }

    /// Lets everybody in again.
    pub fn open(&self) {
        self.allow("true");
    }

    fn allow(&self, whether: &str) {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {whether}", self.name);
        self.runtime.block_on(self.admin.execute_unprepared(&sql)).expect("the statement is valid");
    }

    /// How many connections of a program wait within a transaction for it to go on.
    pub fn transactions_left_open(&self) -> usize {
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND state LIKE 'idle in transaction%'",
            self.name
        );
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let found = self.runtime.block_on(self.admin.query_all_raw(statement));
        found.expect("the statement is valid").len()
    }

    /// How many statements wait for a lock.
    pub fn waiting_for_locks(&self) -> usize {
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'",
            self.name
        );
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        self.runtime.block_on(self.admin.query_all_raw(statement)).expect("the statement is valid").len()
    }

    /// Locks a table against everybody until the result is dropped.
    pub fn lock(&self, table: &str) -> TableLock<'_> {
        use sea_orm::TransactionTrait;
        let begun = self.runtime.block_on(async {
            let transaction = sea_orm::Database::connect(&self.url).await?.begin().await?;
            transaction.execute_unprepared(&format!("LOCK TABLE {table}")).await?;
            Ok::<_, sea_orm::DbErr>(transaction)
        });
        TableLock { transaction: Some(begun.expect("the table exists")), runtime: &self.runtime }
    }

    /// A role that is no superuser and owns the database: its name, and the URL of the database for it.
    pub fn ordinary_role(&self) -> (String, String) {
        let role = format!("{}_owner", self.name);
        self.execute(&format!("CREATE ROLE {role} LOGIN; ALTER DATABASE {} OWNER TO {role}", self.name));
        let (user, rest) = self.url.split_once('@').expect("the URL names a user");
        let (scheme, _) = user.split_once("//").expect("the URL has a scheme");
        (role.clone(), format!("{scheme}//{role}@{rest}"))
    }

    /// A session in the database, beside the program's.
    pub fn session(&self) -> SqlSession {
        SqlSession::open(&self.url).expect("the database accepts connections")
    }

    /// Runs SQL in the database itself.
    pub fn execute(&self, sql: &str) {
        let done = self
            .runtime
            .block_on(async { sea_orm::Database::connect(&self.url).await?.execute_unprepared(sql).await });
        done.expect("the statement is valid");
    }
}

/// A lock on a table.
pub struct TableLock<'a> {
    transaction: Option<DatabaseTransaction>,
    runtime: &'a Runtime,
}

impl Drop for TableLock<'_> {
    fn drop(&mut self) {
        let ended = self.transaction.take().map(|transaction| self.runtime.block_on(transaction.rollback()));
        ended.transpose().expect("the database answers");
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // A failure leaves a database in a server that is thrown away.
        let _ = self.runtime.block_on(self.admin.execute_unprepared(&sql));
    }
}
