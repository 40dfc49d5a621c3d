//! What the reply of a mail server means: delivered, tried again, or refused for good.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{attempts, header, mailing_to, on_both_databases, url_with_login};
use crate::support::{MailServer, Protection, Reply, Step, Value, json, wait_until, wait_within};

/// Faults after which a mail is tried again.
const TEMPORARY: [(Step, Reply); 14] = [
    (Step::Greeting, Reply::Code(554)),
    (Step::Greeting, Reply::Code(421)),
    (Step::Greeting, Reply::Cut),
    (Step::Ehlo, Reply::Code(550)),
    (Step::Auth, Reply::Code(535)),
    (Step::Auth, Reply::Code(454)),
    (Step::Mail, Reply::Code(451)),
    (Step::Mail, Reply::Code(530)),
    (Step::Mail, Reply::Cut),
    (Step::Rcpt, Reply::Code(450)),
    (Step::Data, Reply::Code(452)),
    (Step::Text, Reply::Cut),
    (Step::End, Reply::Code(451)),
    (Step::End, Reply::Cut),
];

/// Faults after which a mail is not tried again.
const FINAL: [(Step, Reply); 5] = [
    (Step::Mail, Reply::Code(550)),
    (Step::Rcpt, Reply::Code(550)),
    (Step::Rcpt, Reply::Code(501)),
    (Step::Data, Reply::Code(554)),
    (Step::End, Reply::Code(552)),
];

on_both_databases! {
    fn only_a_refused_mail_fails_for_good(env, _url) {
        let fault: Arc<Mutex<Option<(Step, Reply)>>> = Arc::default();
        let current = fault.clone();
        let mails = MailServer::with(move |reached| match *current.lock().expect("no holder panics") {
            Some((step, reply)) if step == reached.step => reply,
            _ => Reply::Ok,
        });
        let server = mailing_to(env, &url_with_login("smtp", &mails, "")).start(&[]);
        let first_attempts = || {
            let mut lines = attempts(&server);
            lines.retain(|line| line["attempt"] == 1);
            lines
        };
        let mut number = 0;
        let mut try_with = |case: (Step, Reply), outcome: &str, level: &str| {
            *fault.lock().expect("no holder panics") = Some(case);
            number += 1;
            server.register(&format!("user{number}"));
            wait_until("the attempt is logged", || first_attempts().len() == number);
            let line = first_attempts().pop().expect("there is one");
            assert_eq!((&line["outcome"], &line["level"]), (&json!(outcome), &json!(level)), "{case:?}: {line}");
            let code = if let Reply::Code(code) = case.1 { json!(code) } else { json!(null) };
            assert_eq!(line["smtp_code"], code, "{case:?}: {line}");
        };
        for case in TEMPORARY {
            try_with(case, "retry", "INFO");
        }
        *fault.lock().expect("no holder panics") = None;
        let is_delivered = |number: usize| {
            let to = format!("user{number}@example.com");
            mails.mails().iter().any(|mail| header(mail, "To") == to)
        };
        // The last one was received, and sent again because it was not acknowledged.
        let count = TEMPORARY.len() + 2;
        wait_within(Duration::from_secs(90), "all are delivered", || {
            (1..=TEMPORARY.len()).all(is_delivered) && mails.mails().len() >= count
        });
        assert_eq!(mails.mails().len(), count, "{:?}", mails.mails());
        for number in [TEMPORARY.len() - 1, TEMPORARY.len()] {
            let to = format!("user{number}@example.com");
            let all = mails.mails();
            let ids: Vec<_> = all.iter().filter(|mail| header(mail, "To") == to).map(|mail| header(mail, "Message-ID")).collect();
            assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
        }

        for case in FINAL {
            try_with(case, "failed", "WARN");
        }
        *fault.lock().expect("no holder panics") = None;
        let log = server.stop();
        let failed = TEMPORARY.len() + 1..=TEMPORARY.len() + FINAL.len();
        // The last mail was received before it was refused.
        assert_eq!(failed.filter(|number| is_delivered(*number)).count(), 1, "{log}");
    }

    /// Greylisting: the mail server takes a mail when it is tried again.
    fn a_mail_is_tried_again_after_about_five_seconds(env, _url) {
        let mails = MailServer::with(|reached| match (reached.step, reached.count) {
            (Step::Rcpt, 1) => Reply::Code(451),
            _ => Reply::Ok,
        });
        let env = mailing_to(env, &mails.url());
        let server = env.start(&[]);
        server.register("ann");
        wait_until("the first attempt is logged", || attempts(&server).len() == 1);
        let status = env.run(&["mail", "status"]).stdout;
        assert!(status.starts_with("waiting: 1, the oldest was queued "), "{status}");
        assert!(status.ends_with("\nfailed: 0\n"), "{status}");
        wait_within(Duration::from_secs(20), "the mail arrives", || mails.mails().len() == 1);
        wait_until("the second attempt is logged", || attempts(&server).len() == 2);
        let lines = attempts(&server);
        assert_eq!((&lines[0]["outcome"], &lines[1]["outcome"]), (&json!("retry"), &json!("sent")));
        let at = |line: &Value| line["timestamp"].as_str().expect("it is text").parse::<chrono::DateTime<chrono::Utc>>();
        let pause = at(&lines[1]).expect("it is a time") - at(&lines[0]).expect("it is a time");
        assert!(pause.num_milliseconds() >= 3_900, "{pause}");
        assert_eq!((&lines[1]["attempt"], &lines[1]["smtp_code"]), (&json!(2), &json!(250)));
        assert_eq!(env.run(&["mail", "status"]).stdout, "waiting: 0\nfailed: 0\n");
    }

    fn the_operator_tries_failed_mails_again(env, _url) {
        let mails = MailServer::with(|reached| match (reached.step, reached.count) {
            (Step::Rcpt, 1) => Reply::Code(550),
            _ => Reply::Ok,
        });
        let env = mailing_to(env, &mails.url());
        let server = env.start(&[]);
        server.register("ann");
        wait_until("the attempt is logged", || attempts(&server).len() == 1);
        let status = || env.run(&["mail", "status"]).stdout;
        assert!(status().starts_with("waiting: 0\nfailed: 1, the oldest was queued "), "{}", status());
        assert_eq!(env.run(&["mail", "retry"]).stdout, "1 failed mail is tried again\n");
        wait_until("the mail arrives", || mails.mails().len() == 1);
        wait_until("the mail is deleted", || status() == "waiting: 0\nfailed: 0\n");
        assert_eq!(env.run(&["mail", "retry"]).stdout, "0 failed mails are tried again\n");
    }
}

/// Sends a test mail to an address outside ASCII, and returns the success and the received mails.
fn sent_to_joerg(extensions: &[&'static str]) -> (bool, MailServer, String) {
    let mails = MailServer::with_options(Protection::None, extensions, |_| Reply::Ok);
    let env = mailing_to(crate::support::ServerEnv::new(), &mails.url());
    let run = env.run(&["mail", "test", "jörg@bücher.example"]);
    (run.success, mails, run.stderr)
}

#[test]
fn an_address_outside_ascii_needs_a_mail_server_that_accepts_it() {
    let (success, mails, stderr) = sent_to_joerg(&["8BITMIME", "SMTPUTF8"]);
    assert!(success, "{stderr}");
    let mail = mails.mails().remove(0);
    assert_eq!(mail.to, ["<jörg@xn--bcher-kva.example>"]);
    assert!(mail.from.starts_with("<tasks@example.com> ") && mail.from.contains("SMTPUTF8"), "{}", mail.from);
    assert!(mail.text.contains("\r\nTo: jörg@xn--bcher-kva.example\r\n"), "{}", mail.text);

    let (success, mails, stderr) = sent_to_joerg(&["8BITMIME"]);
    assert!(!success && stderr.contains("accepts only ASCII addresses"), "{stderr}");
    assert_eq!(mails.reached(Step::Mail), 0);
}
