//! The service on a database of its own, called without a socket.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use taskhold::app::App;
use taskhold::config::Config;
use taskhold::db::Database;
use taskhold::domain::Clock;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use super::{Actor, SECRET, postgres};

/// The databases that every behaviour is tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

/// What a test does at each statement.
type Watcher = Arc<Mutex<Option<Arc<dyn Fn(&str) + Send + Sync>>>>;

/// The service, on a database that nobody else uses.
pub struct TestApp {
    router: Router,
    pub kind: DatabaseKind,
    /// The time that the service lives in.
    pub clock: Clock,
    /// The database, to look at the rows themselves.
    pub database: Database,
    connection: DatabaseConnection,
    statements: Arc<Mutex<Vec<String>>>,
    watcher: Watcher,
    config: Config,
    _folder: TempDir,
}

impl TestApp {
    /// Runs a test on a fresh database of a kind; does nothing where that kind is not to be had.
    pub async fn with(kind: DatabaseKind, flags: &[&str], test: impl AsyncFnOnce(&Self)) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        match kind {
            DatabaseKind::Sqlite => {
                let url = format!("sqlite://{}", folder.path().join("test.db").display());
                test(&Self::new(kind, &url, flags, folder).await).await;
            }
            DatabaseKind::Postgres => {
                let Some(server) = postgres::server_url() else { return };
                let name = format!("taskhold_test_{}", Uuid::new_v4().simple());
                let admin = sea_orm::Database::connect(server).await.expect("the test server answers");
                execute(&admin, &format!("CREATE DATABASE {name}")).await;
                let (host, _) = server.rsplit_once('/').expect("the URL names a database");
                let app = Self::new(kind, &format!("{host}/{name}"), flags, folder).await;
                test(&app).await;
                drop(app);
                execute(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }

    async fn new(kind: DatabaseKind, url: &str, flags: &[&str], folder: TempDir) -> Self {
        let data_dir = folder.path().to_str().expect("the path is text");
        let own = ["--data-dir", data_dir, "--database-url", url, "--better-auth-secret", SECRET];
        let config = Config::from_flags(own.iter().chain(flags).copied()).expect("the flags are valid");
        let url = config.database().expect("the URL is valid");
        let database = Database::connect(&url, 5).await.expect("the database answers");
        let statements = Arc::new(Mutex::new(Vec::new()));
        let watcher = Watcher::default();
        let (observed, told) = (statements.clone(), watcher.clone());
        database.observe(move |sql| {
            observed.lock().expect("nobody panics with it").push(sql.to_owned());
            let watcher = told.lock().expect("nobody panics with it").clone();
            if let Some(watcher) = watcher {
                watcher(sql);
            }
        });
        database.migrate_up().await.expect("the migrations run");
        let connection = database.direct_connection().await.expect("the database answers");
        let clock = Clock::default();
        let app = App::new(&config, database.clone(), clock.clone()).expect("the app can be put together");
        let router = app.router;
        Self { router, kind, clock, database, connection, statements, watcher, config, _folder: folder }
    }

    /// Starts the service once more, as another instance on the same database would.
    pub fn start_again(&self) {
        let app = App::new(&self.config, self.database.clone(), self.clock.clone());
        // Its jobs go on as long as somebody holds it.
        std::mem::forget(app.expect("the app can be put together"));
    }

    /// The statements that are run meanwhile, but for those of jobs.
    pub async fn statements<T>(&self, meanwhile: impl Future<Output = T>) -> (Vec<String>, T) {
        self.statements.lock().expect("nobody panics with it").clear();
        let outcome = meanwhile.await;
        let mut statements = std::mem::take(&mut *self.statements.lock().expect("nobody panics with it"));
        const OF_JOBS: [&str; 4] =
            ["session_endings", "login_attempts", "\"users\".\"deleted_at\" ASC", "\"expires_at\" <= "];
        statements.retain(|sql| !OF_JOBS.iter().any(|part| sql.contains(part)));
        (statements, outcome)
    }

    /// From now on this is told each statement that has been run, and may panic.
    pub fn watch(&self, watcher: impl Fn(&str) + Send + Sync + 'static) {
        *self.watcher.lock().expect("nobody panics with it") = Some(Arc::new(watcher));
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("the router always answers")
    }

    /// Somebody who has no token.
    pub fn nobody(&self) -> Actor<'_> {
        Actor::new(self, None)
    }

    /// Somebody with any token.
    pub fn bearer(&self, token: &str) -> Actor<'_> {
        Actor::new(self, Some(token.to_owned()))
    }

    /// A new user, signed in.
    pub async fn user(&self, name: &str) -> Actor<'_> {
        Actor::register(self, name).await
    }

    /// A connection to look at the tables themselves.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Every row of a table, as text, to see that nothing changed.
    pub async fn rows(&self, table: &str) -> Vec<String> {
        use sea_orm::{FromQueryResult, JsonValue, Statement};
        let connection = self.connection();
        let sql = format!("SELECT * FROM {table} ORDER BY id");
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = JsonValue::find_by_statement(statement).all(connection).await.expect("the table exists");
        rows.iter().map(ToString::to_string).collect()
    }

    /// Everything that is stored.
    pub async fn stored(&self) -> Vec<Vec<String>> {
        let mut tables = Vec::new();
        for table in ["users", "sessions", "tasks", "checklist_items", "risks", "file_changes"] {
            tables.push(self.rows(table).await);
        }
        tables
    }

    /// Runs SQL of the test's own.
    pub async fn execute(&self, sql: &str) {
        execute(self.connection(), sql).await;
    }
}

async fn execute(connection: &DatabaseConnection, sql: &str) {
    connection.execute_unprepared(sql).await.expect("the statement is valid");
}
