//! Measures sign-in under attack: the release binary on a temporary PostgreSQL, with its clients on the same
//! machine. `cargo bench --bench credentials` runs all five benchmarks; a name after `--` selects one. The
//! run fails, as a regression, if a bound is exceeded.

#[path = "../support/figures.rs"]
mod figures;
mod oracle;
mod reset;
mod revocation;
mod storm;
mod throttle;

#[allow(dead_code, reason = "the tests use more of these helpers")]
#[path = "../../tests/support"]
mod support {
    mod client;
    mod database;
    pub mod postgres;
    mod server;
    mod sql_session;

    pub use client::{Client, HttpResponse, PASSWORD, operation};
    pub use database::PostgresDatabase;
    pub use server::{Server, ServerEnv};
    pub use sql_session::SqlSession;
}

use std::process::ExitCode;

use serde_json::{Value, json};

use figures::Report;
use support::{Client, HttpResponse, PASSWORD, PostgresDatabase, ServerEnv};

type Benchmark = fn(&PostgresDatabase, &mut Report);

const BENCHMARKS: [(&str, Benchmark); 5] = [
    ("revocation", revocation::run),
    ("throttle", throttle::run),
    ("storm", storm::run),
    ("oracle", oracle::run),
    ("reset", reset::run),
];

fn main() -> ExitCode {
    // Cargo adds the argument --bench.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(unknown) = wanted.iter().find(|name| BENCHMARKS.iter().all(|(known, _)| known != name)) {
        eprintln!("{unknown} is not one of {}", BENCHMARKS.map(|(name, _)| name).join(", "));
        return ExitCode::FAILURE;
    }
    let mut report = Report::default();
    for (name, run) in BENCHMARKS {
        if wanted.is_empty() || wanted.iter().any(|each| each == name) {
            let Some(database) = PostgresDatabase::new() else { return ExitCode::FAILURE };
            println!("\n{name}");
            run(&database, &mut report);
        }
    }
    report.exit_code()
}

/// An environment without the limits that a single client would reach first.
fn unlimited(database: &PostgresDatabase) -> ServerEnv {
    ServerEnv::on(database).with("LIMIT_CREDENTIALS_PER_MINUTE", "0").with("LIMIT_LOGIN_FAILURES", "0")
}

const LOGIN: &str = "mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";

/// The variables of [`LOGIN`].
fn credentials(who: &str, password: &str) -> Value {
    json!({ "who": who, "password": password })
}

/// Signs in and returns the access token.
fn sign_in(client: &mut Client, who: &str) -> String {
    let body = client.post("", LOGIN, &credentials(who, PASSWORD)).json();
    body["data"]["login"]["accessToken"].as_str().expect("the login succeeds").to_owned()
}

/// The code of the first error; empty if there is none.
fn code(response: &HttpResponse) -> String {
    response.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}
