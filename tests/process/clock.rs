//! A clock that was far ahead while the server started must not empty the trash.

use sea_orm::{ConnectionTrait, Database};
use tokio::runtime::Runtime;

use super::{CREATE, whose};
use crate::support::{Place, PostgresDatabase, Server, json, wait_until};

const WARNING: &str = "the clock is more than 7 days ahead of the latest time in the database";
const GONE: &str = "expired tasks were deleted from the trash";

/// The columns that hold a time of the past.
const TIMES: [(&str, &[&str]); 3] = [
    ("users", &["created_at", "updated_at"]),
    ("sessions", &["created_at", "last_used_at", "refreshed_at"]),
    ("tasks", &["created_at", "updated_at", "deleted_at"]),
];

fn execute(url: &str, sql: &str) {
    let done = async { Database::connect(url).await?.execute_unprepared(sql).await };
    Runtime::new().expect("threads can be started").block_on(done).expect("the statement is valid");
}

/// What moves columns of a table into the past.
fn earlier(url: &str, (table, columns): (&str, &[&str]), days: u32) -> String {
    let column = |column: &&str| match url.starts_with("postgres") {
        true => format!("{column} = {column} - interval '{days} days'"),
        // The form in which the times are kept.
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

fn only_a_clock_that_leaps_keeps_the_trash(place: Place, url: &str) {
    let place = place.with("ACCESS_TOKEN_TTL", "1000d").with("SESSION_TTL", "1000d");
    let server = place.start(&[]);
    let token = delete_a_task(&server);
    server.stop();

    let everything: String = TIMES.iter().map(|table| earlier(url, *table, 40)).collect();
    execute(url, &everything);
    let server = place.start(&[]);
    wait_until("it warns", || server.log().contains(WARNING));
    assert_eq!(whose(&server, &token), "ann");
    // A clean stop writes down that the session was used.
    let log = server.stop_gently();
    assert_eq!((log.matches(WARNING).count(), log.contains(GONE)), (1, false), "{log}");

    // The session was used meanwhile, so the clock agrees with the database, in which the task is old.
    let server = place.start(&[]);
    wait_until("the task is purged", || server.log().contains(GONE));
    assert!(!server.stop().contains(WARNING));
}

#[test]
fn on_sqlite_only_a_clock_that_leaps_keeps_the_trash() {
    let place = Place::new();
    let url = format!("sqlite://{}", place.path("data/taskhold.db").display());
    only_a_clock_that_leaps_keeps_the_trash(place, &url);
}

#[test]
fn on_postgres_only_a_clock_that_leaps_keeps_the_trash() {
    let Some(database) = PostgresDatabase::new() else { return };
    only_a_clock_that_leaps_keeps_the_trash(Place::on(&database), &database.url);
}

#[test]
fn an_empty_database_says_nothing_about_the_clock() {
    let server = Place::new().start(&[]);
    server.register("ann");
    assert!(!server.stop().contains(WARNING));
}
