//! Measures whether the response to a failed login, or its latency, reveals if the account exists. A
//! regression is a second distinguishable response or an area under the ROC curve outside 0.45 to 0.55.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::figures::{Distribution, Report, ms};
use crate::support::{Client, HttpResponse, PASSWORD, PostgresDatabase};
use crate::{LOGIN, code, credentials, unlimited};

const SAMPLES: usize = 500;
const REGISTRATIONS: usize = 200;
const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) { user { id } } }";

/// The name of each case, the username and the password.
const CASES: [(&str, &str, &str); 3] = [
    ("known user, wrong password", "ann", "wrong-horse-1"),
    ("unknown user", "eve", PASSWORD),
    ("inactive user, right password", "bob", PASSWORD),
];

pub fn run(database: &PostgresDatabase, report: &mut Report) {
    let server = unlimited(database).start(&[]);
    for name in ["ann", "bob"] {
        server.register(name);
    }
    database.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'bob'");
    let mut client = server.connect();
    logins(&mut client, report);
    registrations(&mut client);
}

fn logins(client: &mut Client, report: &mut Report) {
    let names = CASES.map(|(name, ..)| name);
    let times =
        measure(client, report, SAMPLES, LOGIN, CASES.map(|(_, who, password)| credentials(who, password)));
    for (what, times) in names.iter().zip(&times) {
        println!("  {what}: {times}");
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        compare(report, (names[one], &times[one]), (names[other], &times[other]));
    }
}

/// Sends an operation alternately with the variables of each case, and returns the times of each. It is a regression
/// if the responses can be distinguished.
pub fn measure<const N: usize>(
    client: &mut Client,
    report: &mut Report,
    samples: usize,
    query: &str,
    cases: [Value; N],
) -> [Distribution; N] {
    let mut times = [const { Vec::new() }; N];
    let mut visible_responses = Vec::new();
    // The first round is a warm-up and is not measured.
    for round in 0..=samples {
        for position in 0..N {
            // Each case has each position in a round equally often.
            let case = (position + round) % N;
            let (response, time) = timed(client, query, &cases[case]);
            if round > 0 {
                times[case].push(time);
            }
            let visible = visible_part(&response);
            if !visible_responses.contains(&visible) {
                visible_responses.push(visible);
            }
        }
    }
    report.bound("different responses", visible_responses.len(), 1, visible_responses.len() == 1);
    times.map(Distribution::of)
}

/// Reports whether the times of two cases can be distinguished.
pub fn compare(report: &mut Report, one: (&str, &Distribution), other: (&str, &Distribution)) {
    let auc = one.1.auc(other.1);
    let what = format!("area under the ROC curve, {} against {}", one.0, other.0);
    report.bound(&what, format!("{auc:.3}"), "0.45 to 0.55", (0.45..=0.55).contains(&auc));
}

/// The status, headers and body of a response, without the request id and the date.
fn visible_part(response: &HttpResponse) -> (u16, Vec<(String, String)>, String) {
    let mut headers = response.headers.clone();
    headers.retain(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    (response.status, headers, response.body.replace(response.header("x-request-id"), ""))
}

fn registrations(client: &mut Client) {
    let [mut fresh, mut taken] = [const { Vec::new() }; 2];
    for number in 0..REGISTRATIONS {
        let mut register = |email: String| {
            let input = json!({ "email": email, "password": PASSWORD, "name": "User" });
            timed(client, REGISTER, &json!({ "input": input }))
        };
        let (response, time) = register(format!("fresh{number}@example.com"));
        assert_eq!(code(&response), "");
        fresh.push(time);
        let (response, time) = register("ann@example.com".to_owned());
        assert_eq!(code(&response), "CONFLICT");
        taken.push(time);
    }
    let [fresh, taken] = [fresh, taken].map(Distribution::of);
    println!(
        "  registering a fresh address: median {}; a registered one: {}",
        ms(fresh.median()),
        ms(taken.median())
    );
}

fn timed(client: &mut Client, query: &str, variables: &Value) -> (HttpResponse, Duration) {
    let start = Instant::now();
    let response = client.post("", query, variables);
    let time = start.elapsed();
    (response, time)
}
