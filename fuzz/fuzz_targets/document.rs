//! Fuzzes GraphQL documents: guard, parser, validation and execution of an anonymous request must return a
//! response. A panic or a document that takes longer than -timeout ends the run.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use taskhold::app::App;
use taskhold::config::Config;
use taskhold::domain::Clock;
use taskhold::auth::{ClientInfo, Credential};
use taskhold::graphql::GraphqlRequest;
use taskhold::db::Database;
use tokio::runtime::Runtime;

struct Service {
    runtime: Runtime,
    app: App,
    _folder: tempfile::TempDir,
}

static SERVICE: LazyLock<Service> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let app = runtime.block_on(async {
        let data_dir = folder.path().to_str().expect("the path is text");
        let config = Config::from_flags(["--data-dir", data_dir]).expect("the flags are valid");
        let database = Database::connect(&config.database.url().expect("the URL is valid"), 2).await.expect("the database opens");
        database.migrate_up().await.expect("the migrations run");
        App::new(&config, database, Clock::default()).expect("the app can be built")
    });
    Service { runtime, app, _folder: folder }
});

fuzz_target!(|document: &str| {
    let request = GraphqlRequest { query: Some(document.to_owned()), ..GraphqlRequest::default() };
    let executed = SERVICE.app.api.execute(request, Credential::None, ClientInfo::default());
    let (execution, _) = SERVICE.runtime.block_on(executed);
    assert!(execution.response.errors.len() <= 20);
});
