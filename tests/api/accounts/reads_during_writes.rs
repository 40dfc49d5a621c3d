//! Reads on SQLite while another connection writes: recording the use of the session must not delay them.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use tokio::runtime::Runtime;

use crate::support::{ServerEnv, json};

#[test]
fn a_read_on_sqlite_does_not_wait_for_a_writer() {
    let env = ServerEnv::new();
    let server = env.start(&[]);
    let token = server.register("ann");
    server.stop();
    let runtime = Runtime::new().expect("a runtime can be created");
    let url = format!("sqlite://{}", env.path("data/taskhold.db").display());
    let mut options = sea_orm::ConnectOptions::new(url);
    options.max_connections(1);
    let writer = runtime.block_on(sea_orm::Database::connect(options)).expect("the file can be opened");
    let execute =
        |sql: &str| runtime.block_on(writer.execute_unprepared(sql)).expect("the statement is valid");
    // The last use is long ago, so the next use is recorded.
    execute("UPDATE sessions SET last_used_at = replace(created_at, substr(created_at, 1, 4), '2020')");

    let server = env.start(&[]);
    execute("BEGIN IMMEDIATE");
    let begun = Instant::now();
    for _ in 0..3 {
        let body =
            server.post(&token, "{ me { id sessions { id } } tasks { totalCount } }", &json!({})).json();
        assert!(body.get("errors").is_none(), "{body}");
    }
    let waited = begun.elapsed();
    execute("ROLLBACK");
    assert!(waited < Duration::from_secs(2), "{waited:?}");
}
