//! The service in this process on a fresh database, called without a socket.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, Response};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use taskhold::api::Api;
use taskhold::app::App;
use taskhold::config::Config;
use taskhold::db::Database;
use taskhold::domain::Clock;
use taskhold::http::HttpService;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use super::{Actor, SECRET, admin, migrated, postgres};

/// The kinds of databases that the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

/// A callback that receives each SQL statement.
type StatementHook = Arc<Mutex<Option<Arc<dyn Fn(&str) + Send + Sync>>>>;

/// The service on a database that only this test uses.
pub struct TestApp {
    service: HttpService,
    /// The GraphQL API of the service, for subscriptions without a transport.
    pub api: Api,
    pub kind: DatabaseKind,
    /// The clock of the service, which a test can move.
    pub clock: Clock,
    /// The database of the service, for direct reads.
    pub database: Database,
    connection: DatabaseConnection,
    statements: Arc<Mutex<Vec<String>>>,
    statement_hook: StatementHook,
    config: Config,
    folder: TempDir,
}

impl TestApp {
    /// Runs a test on a fresh, migrated database of a kind. Does nothing if no server of that kind is available.
    pub async fn with(kind: DatabaseKind, flags: &[&str], test: impl AsyncFnOnce(&Self)) {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        match kind {
            DatabaseKind::Sqlite => {
                let path = folder.path().join("test.db");
                migrated::write_sqlite_file(&path).await;
                let url = format!("sqlite://{}", path.display());
                test(&Self::new(kind, &url, flags, folder).await).await;
            }
            DatabaseKind::Postgres => {
                let Some(server) = postgres::server_url() else { return };
                let name = format!("taskhold_test_{}", Uuid::new_v4().simple());
                migrated::create_on_postgres(server, &name).await;
                let app = Self::new(kind, &postgres::url_of(server, &name), flags, folder).await;
                test(&app).await;
                drop(app);
                admin::run(server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }

    async fn new(kind: DatabaseKind, url: &str, flags: &[&str], folder: TempDir) -> Self {
        let data_dir = folder.path().to_str().expect("the path is text");
        let own = ["--data-dir", data_dir, "--database-url", url, "--better-auth-secret", SECRET];
        let config = Config::from_flags(own.iter().chain(flags).copied()).expect("the flags are valid");
        let url = config.database.url().expect("the URL is valid");
        let database = Database::connect(&url, 5).await.expect("the database accepts connections");
        let statements = Arc::new(Mutex::new(Vec::new()));
        let statement_hook = StatementHook::default();
        let (observed, hook) = (statements.clone(), statement_hook.clone());
        database.observe(move |sql, is_job| {
            if !is_job {
                observed.lock().expect("no holder panics").push(sql.to_owned());
            }
            let hook = hook.lock().expect("no holder panics").clone();
            if let Some(hook) = hook {
                hook(sql);
            }
        });
        let connection = database.direct_connection().await.expect("the database accepts connections");
        let clock = Clock::default();
        let app = App::new(&config, database.clone(), clock.clone(), config.network.listen())
            .expect("the app can be built");
        let App { service, api, .. } = app;
        Self { service, api, kind, clock, database, connection, statements, statement_hook, config, folder }
    }

    /// Starts a second instance of the service on the same database.
    pub fn start_second_instance(&self) {
        let app =
            App::new(&self.config, self.database.clone(), self.clock.clone(), self.config.network.listen());
        // Its background jobs run until the instance is dropped.
        std::mem::forget(app.expect("the app can be built"));
    }

    /// Awaits a future and returns the SQL statements run during it, without those of background jobs.
    pub async fn statements<T>(&self, future: impl Future<Output = T>) -> (Vec<String>, T) {
        self.statements.lock().expect("no holder panics").clear();
        let outcome = future.await;
        let statements = std::mem::take(&mut *self.statements.lock().expect("no holder panics"));
        (statements, outcome)
    }

    /// Calls a hook after each SQL statement from now on. The hook may panic.
    pub fn on_statement(&self, hook: impl Fn(&str) + Send + Sync + 'static) {
        *self.statement_hook.lock().expect("no holder panics") = Some(Arc::new(hook));
    }

    /// Sends a request to the service.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.service.clone().oneshot(request).await.expect("the service is infallible")
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Actor<'_> {
        Actor::new(self, None)
    }

    /// A client with the given token, valid or not.
    pub fn with_token(&self, token: &str) -> Actor<'_> {
        Actor::new(self, Some(token.to_owned()))
    }

    /// Registers a new user and returns the signed-in client.
    pub async fn user(&self, name: &str) -> Actor<'_> {
        Actor::register(self, name).await
    }

    /// A connection to the database, for direct access to the tables.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Every row of a table as JSON text, so that tests can compare the contents before and after.
    pub async fn rows(&self, table: &str) -> Vec<String> {
        use sea_orm::{FromQueryResult, JsonValue, Statement};
        let connection = self.connection();
        let sql = format!("SELECT * FROM {table} ORDER BY id");
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = JsonValue::find_by_statement(statement).all(connection).await.expect("the table exists");
        rows.iter().map(ToString::to_string).collect()
    }

    /// The rows of all tables with user data, without the last uses of sessions.
    pub async fn all_rows(&self) -> Vec<Vec<String>> {
        let mut tables = Vec::new();
        for table in [
            "users",
            "(SELECT id, user_id, created_at, expires_at, refreshed_at, refreshes FROM sessions) AS sessions",
            "tasks",
            "checklist_items",
            "risks",
            "file_changes",
            "task_lists",
            "claims",
            "(SELECT task_id AS id, source FROM task_documents) AS documents",
            "(SELECT task_id AS id, blocked_by_id, position FROM task_dependencies) AS dependencies",
        ] {
            tables.push(self.rows(table).await);
        }
        tables
    }

    /// The texts of the mails that were written to files, oldest first.
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("mail")) else { return Vec::new() };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        paths.sort();
        // A file that is renamed in this moment is counted at the next call.
        paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
    }

    /// Runs an SQL statement on the database.
    pub async fn execute_sql(&self, sql: &str) {
        self.connection().execute_unprepared(sql).await.expect("the statement is valid");
    }
}
