//! The commands schema, migrate and check, and how the command line is parsed.

use crate::support::{PostgresDatabase, SECRET, ServerEnv, json};

fn lines(env: &ServerEnv, arguments: &[&str]) -> Vec<String> {
    let run = env.run(arguments);
    assert!(run.success, "{arguments:?}: {}", run.stderr);
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn the_schema_command_prints_schema_graphql_exactly() {
    let env = ServerEnv::new();
    let is_same = env.run(&["schema"]).stdout == include_str!("../../../schema.graphql");
    assert!(is_same, "schema.graphql is stale: run `cargo run -- schema > schema.graphql`");
    assert!(!env.path("data").exists(), "the command created a folder");
}

fn migrations_go_up_and_down(env: &ServerEnv) {
    let pending = lines(env, &["migrate", "status"]);
    assert!(pending.len() >= 3 && pending.iter().all(|line| line.starts_with("pending ")), "{pending:?}");
    let applied: Vec<_> = pending.iter().map(|line| line.replacen("pending", "applied", 1)).collect();
    assert_eq!(lines(env, &["migrate"]), applied);
    assert_eq!(lines(env, &["migrate", "up"]), applied);
    assert_eq!(lines(env, &["migrate", "status"]), applied);

    let (newest, older) = applied.split_last().expect("there are migrations");
    let mut without = older.to_vec();
    without.push(newest.replacen("applied", "pending", 1));
    assert_eq!(lines(env, &["migrate", "down"]), without);
    for _ in older {
        lines(env, &["migrate", "down"]);
    }
    assert_eq!(lines(env, &["migrate", "down"]), pending);
    assert_eq!(lines(env, &["migrate", "up"]), applied);
}

#[test]
fn migrations_on_sqlite_go_up_and_down() {
    migrations_go_up_and_down(&ServerEnv::new());
}

#[test]
fn migrations_on_postgres_go_up_and_down() {
    let Some(database) = PostgresDatabase::new() else { return };
    migrations_go_up_and_down(&ServerEnv::on(&database));
}

fn check_reports_whether_a_server_can_start(env: &ServerEnv, database: &str) {
    let all = lines(env, &["migrate", "status"]).len();
    for pending in [all, 1] {
        let check = lines(env, &["check"]);
        assert_eq!(check[0], "configuration: ok");
        assert!(check[1].starts_with(&format!("database: ok, {database}")), "{check:?}");
        let rest = match pending {
            1 => ", 1 migration is missing; the server runs it when it starts".to_owned(),
            _ => format!(", {pending} migrations are missing; the server runs them when it starts"),
        };
        assert!(check[1].ends_with(&rest), "{check:?}");
        lines(env, &["migrate"]);
        lines(env, &["migrate", "down"]);
    }
    lines(env, &["migrate"]);
    let check = lines(env, &["check"]);
    assert_eq!(check[0], "configuration: ok");
    assert!(check[1].starts_with(&format!("database: ok, {database}")), "{check:?}");
    assert!(check[1].ends_with(", up to date"), "{check:?}");
    assert_eq!(check[2..], ["mail: ok, files in ./data/mail"]);
}

#[test]
fn check_on_sqlite_reports_whether_a_server_can_start() {
    check_reports_whether_a_server_can_start(&ServerEnv::new(), "SQLite at ./data/taskhold.db");
}

#[test]
fn check_on_postgres_reports_whether_a_server_can_start() {
    let Some(database) = PostgresDatabase::new() else { return };
    check_reports_whether_a_server_can_start(&ServerEnv::on(&database), "PostgreSQL at ");
}

#[test]
fn check_reports_a_valid_configuration_and_an_unreachable_database() {
    let env = ServerEnv::new()
        .with("DATABASE_URL", "postgres://ann:s3cret@127.0.0.1:1/tasks")
        .with("BETTER_AUTH_SECRET", SECRET);
    let run = env.run(&["check"]);
    assert_eq!((run.success, run.stdout.as_str()), (false, "configuration: ok\n"));
}

#[test]
fn check_on_postgres_fails_while_the_database_is_read_only() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    lines(&env, &["migrate"]);
    let (_, name) = database.url.rsplit_once('/').expect("the URL names a database");
    database.execute_sql(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let run = env.run(&["check"]);
    assert_eq!((run.success, run.stdout.as_str()), (false, "configuration: ok\n"));
    assert!(run.stderr.starts_with("taskhold: DATABASE_URL: "), "{}", run.stderr);
}

/// Root may write into every folder regardless of its mode, so the test uses /proc, where files cannot be
/// created.
#[cfg(target_os = "linux")]
#[test]
fn check_on_sqlite_fails_where_nothing_can_be_written() {
    let env = ServerEnv::new().with("DATABASE_URL", "sqlite:///proc/taskhold.db");
    let run = env.run(&["check"]);
    assert_eq!((run.success, run.stdout.as_str()), (false, "configuration: ok\n"));
    assert!(run.stderr.starts_with("taskhold: DATABASE_URL: cannot open SQLite at "), "{}", run.stderr);
}

#[test]
fn check_names_parameters_without_effect_and_hides_their_values() {
    let Some(database) = PostgresDatabase::new() else { return };
    let glue = if database.url.contains('?') { '&' } else { '?' };
    let url =
        format!("{}{glue}sslcrl=s3cret&channel_binding=s3cret&gssencmode=disable&x=s3cret", database.url);
    let env = ServerEnv::on(&database).with("DATABASE_URL", &url);
    let run = env.run(&["check"]);
    assert!(run.success && run.stderr.is_empty(), "{}", run.stderr);
    let first = "configuration: ok; DATABASE_URL has parameters without effect: sslcrl, x\n";
    assert!(run.stdout.starts_with(first) && !run.stdout.contains("s3cret"), "{}", run.stdout);
}

#[test]
fn a_username_with_a_leading_hyphen_follows_two_hyphens() {
    let env = ServerEnv::new();
    let create = ["user", "create", "ann@example.com", "--username=-ann"];
    assert!(env.run_with(&create, "correct-horse-1\n").success);
    assert!(lines(&env, &["user", "deactivate", "--", "-ann"])[0].contains(" inactive "));
    let refused = env.run(&["user", "activate", "-ann"]);
    assert!(!refused.success && refused.stderr.contains("'-- -a'"), "{}", refused.stderr);
}

fn a_server_with_no_migrate_does_not_change_the_schema(env: &ServerEnv) {
    let before = lines(env, &["migrate", "status"]);
    let server = env.start(&["serve", "--no-migrate"]);
    assert_eq!(server.get("/healthz").status, 200);
    let body = server.post("", "{ serverInfo { registrationOpen } }", &json!({})).json();
    assert_eq!(body["data"]["serverInfo"]["registrationOpen"], true);
    assert_eq!(lines(env, &["migrate", "status"]), before);
    assert!(before[0].starts_with("pending"), "{before:?}");
}

#[test]
fn a_server_on_sqlite_with_no_migrate_does_not_change_the_schema() {
    a_server_with_no_migrate_does_not_change_the_schema(&ServerEnv::new());
}

#[test]
fn a_server_on_postgres_with_no_migrate_does_not_change_the_schema() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_server_with_no_migrate_does_not_change_the_schema(&ServerEnv::on(&database));
}

#[test]
fn unknown_commands_and_flags_are_errors() {
    for arguments in [&["serv"][..], &["--prot=1"], &["migrate", "sideways"], &["--port"]] {
        let run = ServerEnv::new().run(arguments);
        assert!(!run.success && run.stderr.contains("--help"), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn version_and_help_need_no_configuration() {
    let env = ServerEnv::new();
    assert_eq!(lines(&env, &["--version"]), [concat!("taskhold ", env!("CARGO_PKG_VERSION"))]);
    assert!(env.run(&["help", "migrate"]).stdout.contains("status"));
    assert!(!env.path("data").exists(), "the command created a folder");
}
