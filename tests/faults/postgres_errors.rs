//! The error codes that clients get for errors of PostgreSQL.

use std::thread;

use uuid::Uuid;

use super::{Account, code};
use crate::support::{PostgresDatabase, Server, ServerEnv, Value, json};

const CREATE: &str = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";

/// Two inputs of createTask: without and with a client-chosen id.
fn inputs() -> [Value; 2] {
    [json!({ "title": "one" }), json!({ "title": "two", "id": Uuid::new_v4() })]
}

/// Sends createTask and returns the error code.
fn code_of(server: &Server, ann: &Account, input: &Value) -> String {
    code(&server.connect_with_long_timeout().post(&ann.token, CREATE, &json!({ "input": input })))
}

/// Sends createTask with both inputs at the same time and returns the error codes.
fn codes(server: &Server, ann: &Account) -> [String; 2] {
    thread::scope(|scope| {
        let requests = inputs().map(|input| scope.spawn(move || code_of(server, ann, &input)));
        requests.map(|request| request.join().expect("there is a response"))
    })
}

/// Runs these PL/pgSQL statements before every insert of a task.
fn before_each_insert(database: &PostgresDatabase, statements: &str) {
    database.execute_sql(&format!(
        "CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN {statements}; RETURN NEW; END $$;
         CREATE OR REPLACE TRIGGER fault BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION fault()"
    ));
}

#[test]
fn missing_resources_of_postgres_are_service_unavailable() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    let ann = Account::register(&server, "ann");
    for state in ["08006", "25006", "53000", "53100", "53200", "53300", "57P01", "57P03", "58000", "58030"] {
        before_each_insert(&database, &format!("RAISE EXCEPTION 'fault' USING ERRCODE = '{state}'"));
        assert_eq!(codes(&server, &ann), ["SERVICE_UNAVAILABLE"; 2], "{state}");
    }
    database.execute_sql("DROP TRIGGER fault ON tasks");
    ann.assert_works_again(&server);
}

#[test]
fn a_statement_that_takes_too_long_is_timeout() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    let ann = Account::register(&server, "ann");
    before_each_insert(&database, "PERFORM pg_sleep(7)");
    assert_eq!(codes(&server, &ann), ["TIMEOUT"; 2]);
    database.execute_sql("DROP TRIGGER fault ON tasks");
    ann.assert_works_again(&server);
}

#[test]
fn a_serialization_failure_or_deadlock_is_retried_and_then_conflict() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    let ann = Account::register(&server, "ann");
    database.execute_sql("CREATE SEQUENCE attempts");
    for state in ["40001", "40P01"] {
        let collision = format!("RAISE EXCEPTION 'fault' USING ERRCODE = '{state}'");
        before_each_insert(&database, &format!("IF nextval('attempts') % 4 > 0 THEN {collision}; END IF"));
        // Sequentially, because both count their attempts in the same database sequence.
        for input in inputs() {
            assert_eq!(code_of(&server, &ann, &input), "", "{state}: the fourth attempt succeeds");
        }
        before_each_insert(&database, &collision);
        assert_eq!(codes(&server, &ann), ["CONFLICT"; 2], "{state}");
    }
}

#[test]
fn an_exhausted_connection_limit_is_service_unavailable() {
    let Some(database) = PostgresDatabase::new() else { return };
    // The connection limit of a role does not apply to superusers.
    let (role, url) = database.ordinary_role();
    let server = ServerEnv::on_url(&url).start(&[]);
    let ann = Account::register(&server, "ann");
    database.execute_sql(&format!("ALTER ROLE {role} CONNECTION LIMIT 0"));
    let mut session = database.session();
    session.run(&format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{role}'"
    ));
    assert_eq!(codes(&server, &ann), ["SERVICE_UNAVAILABLE"; 2]);
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    database.execute_sql(&format!("ALTER ROLE {role} CONNECTION LIMIT -1"));
    ann.assert_works_again(&server);
}

#[test]
fn a_database_that_is_not_utf8_is_refused_at_the_start() {
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let Some(database) = PostgresDatabase::with_encoding(encoding) else { return };
        let env = ServerEnv::on(&database);
        let start = env.run(&[]);
        assert_eq!((start.success, start.stderr.lines().count()), (false, 1), "{}", start.stderr);
        assert!(start.stderr.contains("DATABASE_URL") && start.stderr.contains(encoding), "{}", start.stderr);
        assert!(!env.run(&["check"]).success, "a server cannot start on {encoding}");
    }
}
