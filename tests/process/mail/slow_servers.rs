//! Mail servers that reply slowly.

use std::time::Duration;

use super::{attempts, mailing_to};
use crate::support::{MailServer, Reply, ServerEnv, json, wait_within};

/// Each reply comes in time, but all together would take longer.
#[test]
fn an_attempt_ends_after_half_a_minute() {
    let mails = MailServer::with(|_| Reply::Late(Duration::from_secs(8)));
    let server = mailing_to(ServerEnv::new(), &mails.url()).start(&[]);
    server.register("ann");
    wait_within(Duration::from_secs(45), "the attempt ends", || attempts(&server).len() == 1);
    let line = attempts(&server).remove(0);
    assert_eq!((&line["outcome"], &line["smtp_code"]), (&json!("retry"), &json!(null)), "{line}");
    let duration = line["duration_ms"].as_u64().expect("a number");
    assert!((27_000..=33_000).contains(&duration), "{line}");
}
