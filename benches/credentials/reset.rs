//! Measures whether the response to a request for a new password, or its latency, reveals if the account exists. A
//! regression is a second distinguishable response or an area under the ROC curve outside 0.45 to 0.55.

use serde_json::json;

use crate::figures::Report;
use crate::oracle::{compare, measure};
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
    let server = unlimited(database)
        .with("LIMIT_MAILS_PER_HOUR", "0")
        .with("LIMIT_RESET_REQUESTS_PER_HOUR", "0")
        .start(&[]);
    for name in ["ann", "bob"] {
        server.register(name);
    }
    database.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'bob'");
    let variables = CASES.map(|(_, who)| json!({ "who": who }));
    let times = measure(&mut server.connect(), report, SAMPLES, REQUEST, variables);
    for ((what, _), times) in CASES.iter().zip(&times) {
        println!("  {what}: {times}");
    }
    for other in [1, 2, 3] {
        compare(report, (CASES[0].0, &times[0]), (CASES[other].0, &times[other]));
    }
}
