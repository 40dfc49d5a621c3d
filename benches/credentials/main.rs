//! What signing in holds under attack, in figures: the release binary on a throw-away PostgreSQL, its
//! clients beside it on the same machine. `cargo bench --bench credentials` runs all four, with a name
//! after `--` that one. It fails when a bound is broken.

mod figures;
mod oracle;
mod revocation;
mod storm;
mod throttle;

#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../../tests/support"]
mod support {
    mod client;
    mod database;
    pub mod postgres;
    mod server;
    mod sql_session;

    pub use client::{Client, PASSWORD, Reply, operation};
    pub use database::PostgresDatabase;
    pub use server::{Place, Server};
    pub use sql_session::SqlSession;
}

use std::process::ExitCode;

use serde_json::{Value, json};

use figures::Report;
use support::{Client, PASSWORD, Place, PostgresDatabase, Reply};

type Benchmark = fn(&PostgresDatabase, &mut Report);

const BENCHMARKS: [(&str, Benchmark); 4] = [
    ("revocation", revocation::run),
    ("throttle", throttle::run),
    ("storm", storm::run),
    ("oracle", oracle::run),
];

fn main() -> ExitCode {
    // Cargo adds --bench.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(unknown) = wanted.iter().find(|name| BENCHMARKS.iter().all(|(known, _)| known != name)) {
        eprintln!("{unknown} is none of {}", BENCHMARKS.map(|(name, _)| name).join(", "));
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

/// A server without the limits that a single client meets first.
fn unlimited(database: &PostgresDatabase) -> Place {
    Place::on(database).with("LIMIT_CREDENTIALS_PER_MINUTE", "0").with("LIMIT_LOGIN_FAILURES", "0")
}

const LOGIN: &str = "mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";

/// The variables of [`LOGIN`].
fn credentials(who: &str, password: &str) -> Value {
    json!({ "who": who, "password": password })
}

/// Signs in and gives the token.
fn sign_in(client: &mut Client, who: &str) -> String {
    let body = client.post("", LOGIN, &credentials(who, PASSWORD)).json();
    body["data"]["login"]["accessToken"].as_str().expect("signing in works").to_owned()
}

/// The code of the first error; empty when there is none.
fn code(reply: &Reply) -> String {
    reply.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}
