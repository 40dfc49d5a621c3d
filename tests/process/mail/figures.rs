//! The metrics of mails.

use std::time::Duration;

use super::{attempts, mailing_to, on_both_databases};
use crate::process::observability::metrics::{scrape, value};
use crate::support::{MailServer, Reply, Step, wait_until, wait_within};

on_both_databases! {
    fn the_metrics_count_attempts_and_the_mails_that_wait(env, _url) {
        let mails = MailServer::with(|reached| match (reached.step, reached.line) {
            (Step::Rcpt, line) if line.contains("bob") => Reply::Code(550),
            (Step::Rcpt, line) if line.contains("cat") => Reply::Code(450),
            _ => Reply::Ok,
        });
        let server = mailing_to(env, &mails.url()).with("METRICS_BIND", "127.0.0.1:0").start(&[]);
        for name in ["ann", "bob", "cat", "dan"] {
            server.register(name);
        }
        wait_until("each mail was tried", || attempts(&server).iter().filter(|line| line["attempt"] == 1).count() == 4);
        let metrics = scrape(&server);
        let count = |kind: &str, outcome: &str| {
            value(&metrics, &format!("taskhold_mails_total{{kind=\"{kind}\",outcome=\"{outcome}\"}}"))
        };
        assert_eq!(count("verify-email", "sent"), Some(2.0), "{metrics}");
        assert_eq!(count("verify-email", "failed"), Some(1.0), "{metrics}");
        assert!(count("verify-email", "retry") >= Some(1.0), "{metrics}");
        assert_eq!(count("reset-password", "sent").unwrap_or_default(), 0.0, "{metrics}");
        // It is read from the database every 15 s.
        wait_within(Duration::from_secs(30), "the waiting mail is counted", || {
            value(&scrape(&server), "taskhold_mails_waiting") == Some(1.0)
        });
    }
}
