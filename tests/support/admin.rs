//! Statements about whole databases of the test server, on connections that all tests share.

use std::sync::OnceLock;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

/// The runtime of the connections. That of a test ends with the test.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("admin").enable_all().build();
        runtime.expect("a runtime can be made")
    })
}

async fn connection(server: &str) -> &'static DatabaseConnection {
    static CONNECTION: OnceCell<DatabaseConnection> = OnceCell::const_new();
    let connect =
        async || sea_orm::Database::connect(server).await.expect("the test server accepts connections");
    CONNECTION.get_or_init(connect).await
}

/// Runs a statement.
pub async fn run(server: &'static str, sql: String) {
    let run = async move { connection(server).await.execute_unprepared(&sql).await };
    runtime().spawn(run).await.expect("it does not panic").expect("the statement is valid");
}
