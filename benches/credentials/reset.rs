//! Measures whether the response to a request for a new password, or its latency, reveals if the account exists. A
//! regression is a second distinguishable response or an area under the ROC curve outside 0.45 to 0.55.

use std::time::Duration;

use serde_json::json;

use crate::figures::{Distribution, Report};
use crate::oracle::{timed, visible_part};
use crate::support::PostgresDatabase;
use crate::unlimited;

const SAMPLES: usize = 1_000;
const REQUEST: &str = "mutation($who: String!) { requestPasswordReset(usernameOrEmail: $who) { message } }";
const CASES: [(&str, &str); 4] = [
    ("known address", "ann@example.com"),
    ("unknown address", "eve@example.com"),
    ("known username", "ann"),
    ("inactive user", "bob"),
];

pub fn run(database: &PostgresDatabase, report: &mut Report) {
    // Without limits, each request for a known account queues a mail.
    let limits = [("LIMIT_MAILS_PER_HOUR", "0"), ("LIMIT_RESET_REQUESTS_PER_HOUR", "0")];
    let server =
        limits.into_iter().fold(unlimited(database), |env, (name, value)| env.with(name, value)).start(&[]);
    for name in ["ann", "bob"] {
        server.register(name);
    }
    database.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'bob'");
    let mut client = server.connect();
    let mut times = CASES.map(|_| Vec::<Duration>::new());
    let mut visible_responses = Vec::new();
    // The first round is a warm-up and is not measured.
    for round in 0..=SAMPLES {
        for position in 0..CASES.len() {
            // Each case has each position in a round equally often, also after each other case.
            let step = if round % 2 == 0 { 1 } else { CASES.len() - 1 };
            let case = (position * step + round / 2) % CASES.len();
            let (response, time) = timed(&mut client, REQUEST, &json!({ "who": CASES[case].1 }));
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
    let times = times.map(Distribution::of);
    for ((what, _), times) in CASES.iter().zip(&times) {
        println!("  {what}: {times}");
    }
    for other in [1, 2, 3] {
        let auc = times[0].auc(&times[other]);
        let what = format!("area under the ROC curve, {} against {}", CASES[0].0, CASES[other].0);
        report.bound(&what, format!("{auc:.3}"), "0.45 to 0.55", (0.45..=0.55).contains(&auc));
    }
}
