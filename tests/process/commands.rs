//! What the program does besides serving.

use crate::support::{Place, PostgresDatabase, SECRET, json};

fn lines(place: &Place, arguments: &[&str]) -> Vec<String> {
    let run = place.run(arguments);
    assert!(run.success, "{arguments:?}: {}", run.stderr);
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn schema_prints_the_file_to_the_byte() {
    let place = Place::new();
    let is_same = place.run(&["schema"]).stdout == include_str!("../../schema.graphql");
    assert!(is_same, "schema.graphql is stale: run `cargo run -- schema > schema.graphql`");
    assert!(!place.path("data").exists(), "printing needs no folder");
}

fn migrations_go_up_and_down(place: &Place) {
    let pending = lines(place, &["migrate", "status"]);
    assert!(pending.len() >= 3 && pending.iter().all(|line| line.starts_with("pending ")), "{pending:?}");
    let applied: Vec<_> = pending.iter().map(|line| line.replacen("pending", "applied", 1)).collect();
    assert_eq!(lines(place, &["migrate"]), applied);
    assert_eq!(lines(place, &["migrate", "up"]), applied);
    assert_eq!(lines(place, &["migrate", "status"]), applied);

    let (newest, older) = applied.split_last().expect("there are migrations");
    let mut without = older.to_vec();
    without.push(newest.replacen("applied", "pending", 1));
    assert_eq!(lines(place, &["migrate", "down"]), without);
    for _ in older {
        lines(place, &["migrate", "down"]);
    }
    assert_eq!(lines(place, &["migrate", "down"]), pending);
    assert_eq!(lines(place, &["migrate", "up"]), applied);
}

#[test]
fn migrations_on_sqlite_go_up_and_down() {
    migrations_go_up_and_down(&Place::new());
}

#[test]
fn migrations_on_postgres_go_up_and_down() {
    let Some(database) = PostgresDatabase::new() else { return };
    migrations_go_up_and_down(&Place::on(&database));
}

fn check_tells_whether_a_server_would_work(place: &Place, database: &str) {
    let all = lines(place, &["migrate", "status"]).len();
    for pending in [all, 1] {
        let check = lines(place, &["check"]);
        assert_eq!(check[0], "configuration: ok");
        assert!(check[1].starts_with(&format!("database: ok, {database}")), "{check:?}");
        let rest = match pending {
            1 => ", 1 migration is missing; the server runs it when it starts".to_owned(),
            _ => format!(", {pending} migrations are missing; the server runs them when it starts"),
        };
        assert!(check[1].ends_with(&rest) && check.len() == 2, "{check:?}");
        lines(place, &["migrate"]);
        lines(place, &["migrate", "down"]);
    }
    lines(place, &["migrate"]);
    let check = lines(place, &["check"]);
    assert_eq!(check[0], "configuration: ok");
    assert!(check[1].starts_with(&format!("database: ok, {database}")), "{check:?}");
    assert!(check[1].ends_with(", up to date") && check.len() == 2, "{check:?}");
}

#[test]
fn check_on_sqlite_tells_whether_a_server_would_work() {
    check_tells_whether_a_server_would_work(&Place::new(), "SQLite at ./data/taskhold.db");
}

#[test]
fn check_on_postgres_tells_whether_a_server_would_work() {
    let Some(database) = PostgresDatabase::new() else { return };
    check_tells_whether_a_server_would_work(&Place::on(&database), "PostgreSQL at ");
}

#[test]
fn check_finds_the_configuration_in_order_and_the_database_away() {
    let place = Place::new()
        .with("DATABASE_URL", "postgres://ann:s3cret@127.0.0.1:1/tasks")
        .with("BETTER_AUTH_SECRET", SECRET);
    let run = place.run(&["check"]);
    assert_eq!((run.success, run.stdout.as_str()), (false, "configuration: ok\n"));
}

#[test]
fn check_on_postgres_fails_while_the_database_is_read_only() {
    let Some(database) = PostgresDatabase::new() else { return };
    let place = Place::on(&database);
    lines(&place, &["migrate"]);
    let (_, name) = database.url.rsplit_once('/').expect("the URL names a database");
    database.execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let run = place.run(&["check"]);
    assert_eq!((run.success, run.stdout.as_str()), (false, "configuration: ok\n"));
    assert!(run.stderr.starts_with("taskhold: DATABASE_URL: "), "{}", run.stderr);
}

/// Root may write into every folder, whatever its mode, but nobody makes files in /proc.
#[cfg(target_os = "linux")]
#[test]
fn check_on_sqlite_fails_where_nothing_can_be_written() {
    let place = Place::new().with("DATABASE_URL", "sqlite:///proc/taskhold.db");
    let run = place.run(&["check"]);
    assert_eq!((run.success, run.stdout.as_str()), (false, "configuration: ok\n"));
    assert!(run.stderr.starts_with("taskhold: DATABASE_URL: cannot open SQLite at "), "{}", run.stderr);
}

#[test]
fn check_names_parameters_without_effect_and_hides_their_values() {
    let Some(database) = PostgresDatabase::new() else { return };
    let glue = if database.url.contains('?') { '&' } else { '?' };
    let url =
        format!("{}{glue}sslcrl=s3cret&channel_binding=s3cret&gssencmode=disable&x=s3cret", database.url);
    let place = Place::on(&database).with("DATABASE_URL", &url);
    let run = place.run(&["check"]);
    assert!(run.success && run.stderr.is_empty(), "{}", run.stderr);
    let first = "configuration: ok; DATABASE_URL has parameters without effect: sslcrl, x\n";
    assert!(run.stdout.starts_with(first) && !run.stdout.contains("s3cret"), "{}", run.stdout);
}

#[test]
fn a_user_whose_name_begins_with_a_hyphen_follows_two_hyphens() {
    let place = Place::new();
    let create = ["user", "create", "ann@example.com", "--username=-ann"];
    assert!(place.run_with(&create, "correct-horse-1\n").success);
    assert!(lines(&place, &["user", "deactivate", "--", "-ann"])[0].contains(" inactive "));
    let refused = place.run(&["user", "activate", "-ann"]);
    assert!(!refused.success && refused.stderr.contains("'-- -a'"), "{}", refused.stderr);
}

fn a_server_can_be_told_to_leave_the_schema(place: &Place) {
    let before = lines(place, &["migrate", "status"]);
    let server = place.start(&["serve", "--no-migrate"]);
    assert_eq!(server.get("/healthz").status, 200);
    let body = server.post("", "{ serverInfo { registrationOpen } }", &json!({})).json();
    assert_eq!(body["data"]["serverInfo"]["registrationOpen"], true);
    assert_eq!(lines(place, &["migrate", "status"]), before);
    assert!(before[0].starts_with("pending"), "{before:?}");
}

#[test]
fn a_server_on_sqlite_can_be_told_to_leave_the_schema() {
    a_server_can_be_told_to_leave_the_schema(&Place::new());
}

#[test]
fn a_server_on_postgres_can_be_told_to_leave_the_schema() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_server_can_be_told_to_leave_the_schema(&Place::on(&database));
}

#[test]
fn what_it_does_not_understand_it_does_not_do() {
    for arguments in [&["serv"][..], &["--prot=1"], &["migrate", "sideways"], &["--port"]] {
        let run = Place::new().run(arguments);
        assert!(!run.success && run.stderr.contains("--help"), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn version_and_help_are_answered_whatever_is_configured() {
    let place = Place::new();
    assert_eq!(lines(&place, &["--version"]), [concat!("taskhold ", env!("CARGO_PKG_VERSION"))]);
    assert!(place.run(&["help", "migrate"]).stdout.contains("status"));
    assert!(!place.path("data").exists(), "it made a folder");
}
