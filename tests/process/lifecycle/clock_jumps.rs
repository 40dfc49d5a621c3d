//! The trash is not purged when the clock of the server jumps far ahead of the times in the database.

use sea_orm::{ConnectionTrait, Database};
use tokio::runtime::Runtime;

use crate::process::{CREATE, username_of};
use crate::support::{PostgresDatabase, Server, ServerEnv, json, wait_until};

const WARNING: &str = "the clock is more than 7 days ahead of the latest time in the database";
const PURGED: &str = "expired tasks were deleted from the trash";

/// The columns that contain times in the past.
const TIMES: [(&str, &[&str]); 3] = [
    ("users", &["created_at", "updated_at"]),
    ("sessions", &["created_at", "last_used_at", "refreshed_at"]),
    ("tasks", &["created_at", "updated_at", "deleted_at"]),
];

fn execute(url: &str, sql: &str) {
    let done = async { Database::connect(url).await?.execute_unprepared(sql).await };
    Runtime::new().expect("a runtime can be created").block_on(done).expect("the statement is valid");
}

/// An UPDATE that moves time columns of a table into the past.
fn move_to_the_past(url: &str, (table, columns): (&str, &[&str]), days: u32) -> String {
    let column = |column: &&str| match url.starts_with("postgres") {
        true => format!("{column} = {column} - interval '{days} days'"),
        // The text format in which SQLite stores the times.
        false => {
            format!("{column} = strftime('%Y-%m-%dT%H:%M:%f000000+00:00', {column}, '-{days} days')")
        }
    };
    format!("UPDATE {table} SET {};", columns.iter().map(column).collect::<Vec<_>>().join(", "))
}

fn delete_a_task(server: &Server) -> String {
    let token = server.register("ann");
    let made = server.post(&token, CREATE, &json!({ "input": { "title": "one" } })).json();
    let id = made["data"]["createTask"]["task"]["id"].clone();
    let delete = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
    assert_eq!(
        server.post(&token, delete, &json!({ "id": id })).json()["data"]["deleteTask"]["deletedTaskId"],
        id
    );
    token
}

fn the_trash_is_not_purged_after_a_jump_of_the_clock(env: ServerEnv, url: &str) {
    let env = env.with("ACCESS_TOKEN_TTL", "1000d").with("SESSION_TTL", "1000d");
    let server = env.start(&[]);
    let token = delete_a_task(&server);
    server.stop();

    let everything: String = TIMES.iter().map(|table| move_to_the_past(url, *table, 40)).collect();
    execute(url, &everything);
    let server = env.start(&[]);
    wait_until("the warning is logged", || server.log().contains(WARNING));
    assert_eq!(username_of(&server, &token), "ann");
    // A graceful stop stores the time at which the session was last used.
    let log = server.stop_gracefully();
    assert_eq!((log.matches(WARNING).count(), log.contains(PURGED)), (1, false), "{log}");

    // The stored use of the session confirms the clock, so the old task is purged.
    let server = env.start(&[]);
    wait_until("the task is purged", || server.log().contains(PURGED));
    assert!(!server.stop().contains(WARNING));
}

#[test]
fn on_sqlite_the_trash_is_not_purged_after_a_jump_of_the_clock() {
    let env = ServerEnv::new();
    let url = format!("sqlite://{}", env.path("data/taskhold.db").display());
    the_trash_is_not_purged_after_a_jump_of_the_clock(env, &url);
}

#[test]
fn on_postgres_the_trash_is_not_purged_after_a_jump_of_the_clock() {
    let Some(database) = PostgresDatabase::new() else { return };
    the_trash_is_not_purged_after_a_jump_of_the_clock(ServerEnv::on(&database), &database.url);
}

#[test]
fn an_empty_database_causes_no_clock_warning() {
    let server = ServerEnv::new().start(&[]);
    server.register("ann");
    assert!(!server.stop().contains(WARNING));
}
