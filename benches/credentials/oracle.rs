//! Whether the answer to a wrong login, or the time it takes, tells who has an account.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::figures::{Distribution, Report, ms};
use crate::support::{Client, PASSWORD, PostgresDatabase, Reply};
use crate::{LOGIN, code, credentials, unlimited};

const SAMPLES: usize = 500;
const REGISTRATIONS: usize = 200;
const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) { user { id } } }";

/// Who tries, and with which password.
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
    database.execute("UPDATE users SET is_active = FALSE WHERE username = 'bob'");
    let mut client = server.connect();
    logins(&mut client, report);
    registrations(&mut client);
}

fn logins(client: &mut Client, report: &mut Report) {
    let mut times = CASES.map(|_| Vec::new());
    let mut faces = Vec::new();
    // The first round warms up.
    for round in 0..=SAMPLES {
        for place in 0..CASES.len() {
            // Each case stands at each place equally often.
            let case = (place + round) % CASES.len();
            let (_, who, password) = CASES[case];
            let (reply, time) = timed(client, LOGIN, &credentials(who, password));
            if round > 0 {
                times[case].push(time);
            }
            let face = face(&reply);
            if !faces.contains(&face) {
                faces.push(face);
            }
        }
    }
    report.bound("different answers", faces.len(), 1, faces.len() == 1);
    let times = times.map(Distribution::of);
    for ((what, ..), times) in CASES.iter().zip(&times) {
        println!("  {what}: {times}");
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let auc = times[one].auc(&times[other]);
        let what = format!("area under the ROC curve, {} against {}", CASES[one].0, CASES[other].0);
        report.bound(&what, format!("{auc:.3}"), "0.45 to 0.55", (0.45..=0.55).contains(&auc));
    }
}

/// All that the client sees of an answer but the two that differ each time.
fn face(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    (reply.status, headers, reply.body.replace(reply.header("x-request-id"), ""))
}

fn registrations(client: &mut Client) {
    let [mut fresh, mut taken] = [const { Vec::new() }; 2];
    for number in 0..REGISTRATIONS {
        let mut register = |email: String| {
            let input = json!({ "email": email, "password": PASSWORD, "name": "Somebody" });
            timed(client, REGISTER, &json!({ "input": input }))
        };
        let (reply, time) = register(format!("fresh{number}@example.com"));
        assert_eq!(code(&reply), "");
        fresh.push(time);
        let (reply, time) = register("ann@example.com".to_owned());
        assert_eq!(code(&reply), "CONFLICT");
        taken.push(time);
    }
    let [fresh, taken] = [fresh, taken].map(Distribution::of);
    println!(
        "  registering a fresh address: median {}; a taken one: {}",
        ms(fresh.median()),
        ms(taken.median())
    );
}

fn timed(client: &mut Client, query: &str, variables: &serde_json::Value) -> (Reply, Duration) {
    let start = Instant::now();
    let reply = client.post("", query, variables);
    let time = start.elapsed();
    (reply, time)
}
