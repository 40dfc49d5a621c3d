//! A PostgreSQL database for one test, for server processes that open it by its URL.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, Statement};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{SqlSession, postgres};

/// A PostgreSQL database that is dropped after the test.
pub struct PostgresDatabase {
    pub url: String,
    name: String,
    admin: DatabaseConnection,
    runtime: Runtime,
}

impl PostgresDatabase {
    /// Creates an empty database; `None` without a PostgreSQL server.
    pub fn new() -> Option<Self> {
        Self::create("")
    }

    /// Creates an empty database with an encoding other than UTF8.
    pub fn with_encoding(encoding: &str) -> Option<Self> {
        let locale = "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
        Self::create(&format!("ENCODING '{encoding}' {locale}"))
    }

    fn create(options: &str) -> Option<Self> {
        let server = postgres::server_url()?;
        let runtime = Runtime::new().expect("a runtime can be created");
        let admin = runtime
            .block_on(sea_orm::Database::connect(server))
            .expect("the test server accepts connections");
        let name = format!("taskhold_test_{}", Uuid::new_v4().simple());
        let database = Self { url: postgres::url_of(server, &name), name, admin, runtime };
        database.administer("CREATE DATABASE", options);
        Some(database)
    }

    fn administer(&self, statement: &str, options: &str) {
        self.run_as_admin(&format!("{statement} {} {options}", self.name));
    }

    fn run_as_admin(&self, sql: &str) {
        self.runtime.block_on(self.admin.execute_unprepared(sql)).expect("the statement is valid");
    }

    /// Copies the database. Ends every connection to it.
    pub fn back_up(&self) {
        self.refuse_connections();
        self.run_as_admin(&format!("CREATE DATABASE {0}_backup TEMPLATE {0}", self.name));
        self.accept_connections();
    }

    /// Replaces the database by the copy. Ends every connection to it.
    pub fn restore(&self) {
        self.run_as_admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        self.administer("CREATE DATABASE", &format!("TEMPLATE {}_backup", self.name));
    }

    /// Ends every connection to the database and refuses new ones.
    pub fn refuse_connections(&self) {
        self.allow_connections("false");
        let sql =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        self.runtime.block_on(self.admin.execute_unprepared(&sql)).expect("the statement is valid");
    }

    /// Accepts new connections again.
    pub fn accept_connections(&self) {
        self.allow_connections("true");
    }

    fn allow_connections(&self, allowed: &str) {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", self.name);
        self.runtime.block_on(self.admin.execute_unprepared(&sql)).expect("the statement is valid");
    }

    /// The number of connections that are idle in a transaction.
    pub fn idle_transactions(&self) -> usize {
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND state LIKE 'idle in transaction%'",
            self.name
        );
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let found = self.runtime.block_on(self.admin.query_all_raw(statement));
        found.expect("the statement is valid").len()
    }

    /// The number of statements that wait for a lock.
    pub fn statements_waiting_for_locks(&self) -> usize {
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'",
            self.name
        );
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        self.runtime.block_on(self.admin.query_all_raw(statement)).expect("the statement is valid").len()
    }

    /// Locks a table exclusively until the result is dropped.
    pub fn lock(&self, table: &str) -> TableLock<'_> {
        use sea_orm::TransactionTrait;
        let begun = self.runtime.block_on(async {
            let transaction = sea_orm::Database::connect(&self.url).await?.begin().await?;
            transaction.execute_unprepared(&format!("LOCK TABLE {table}")).await?;
            Ok::<_, sea_orm::DbErr>(transaction)
        });
        TableLock { transaction: Some(begun.expect("the table exists")), runtime: &self.runtime }
    }

    /// Creates a role without superuser rights that owns the database. Returns its name and its URL of the
    /// database.
    pub fn ordinary_role(&self) -> (String, String) {
        let role = format!("{}_owner", self.name);
        self.execute_sql(&format!("CREATE ROLE {role} LOGIN; ALTER DATABASE {} OWNER TO {role}", self.name));
        let (user, rest) = self.url.split_once('@').expect("the URL names a user");
        let (scheme, _) = user.split_once("//").expect("the URL has a scheme");
        (role.clone(), format!("{scheme}//{role}@{rest}"))
    }

    /// Opens a separate session on the database.
    pub fn session(&self) -> SqlSession {
        SqlSession::open(&self.url).expect("the database accepts connections")
    }

    /// Runs SQL statements on the database.
    pub fn execute_sql(&self, sql: &str) {
        let done = self
            .runtime
            .block_on(async { sea_orm::Database::connect(&self.url).await?.execute_unprepared(sql).await });
        done.expect("the statement is valid");
    }
}

/// An exclusive lock on a table, released when it is dropped.
pub struct TableLock<'a> {
    transaction: Option<DatabaseTransaction>,
    runtime: &'a Runtime,
}

impl Drop for TableLock<'_> {
    fn drop(&mut self) {
        let ended = self.transaction.take().map(|transaction| self.runtime.block_on(transaction.rollback()));
        ended.transpose().expect("the database responds");
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        for sql in [
            format!("DROP DATABASE IF EXISTS {}_backup", self.name),
            format!("DROP DATABASE {} WITH (FORCE)", self.name),
        ] {
            // If this fails, the database remains on a server that is itself temporary.
            let _ = self.runtime.block_on(self.admin.execute_unprepared(&sql));
        }
    }
}
