//! An instance is killed while it sends a mail.

use std::time::Duration;

use super::{attempts, header, mailing_to};
use crate::support::{MailServer, PostgresDatabase, Reply, ServerEnv, Step, wait_until, wait_within};

/// The contract for a mail whose instance died.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(60);

/// A mail server that is slow with the first mail, before its text or before it acknowledges it.
fn slow_once(step: Step) -> MailServer {
    MailServer::with(move |reached| match reached.count {
        1 if reached.step == step => Reply::Late(Duration::from_secs(20)),
        _ => Reply::Ok,
    })
}

/// On PostgreSQL another instance takes over, and on SQLite the same one after a restart.
fn is_sent_after_a_kill(env: ServerEnv, has_other_instance: bool, step: Step) {
    let mails = slow_once(step);
    let env = mailing_to(env, &mails.url());
    let mut killed = env.start(&[]);
    killed.register("ann");
    wait_until("the mail is being sent", || mails.reached(step) == 1);
    let other = has_other_instance.then(|| env.start(&[]));
    killed.signal("KILL");
    assert!(!killed.exits_cleanly());
    let server = other.unwrap_or_else(|| env.start(&[]));
    wait_within(TAKE_OVER_LIMIT, "the mail is sent", || {
        attempts(&server).iter().any(|line| line["outcome"] == "sent")
    });
    let mails = mails.mails();
    // One that was received whole but not acknowledged arrives twice.
    assert_eq!(mails.len(), if step == Step::End { 2 } else { 1 }, "{mails:?}");
    assert!(mails.iter().all(|mail| header(mail, "Message-ID") == header(&mails[0], "Message-ID")));
}

/// The cases run at the same time, because each takes as long as a claim.
#[test]
fn a_mail_whose_instance_is_killed_is_sent_within_a_minute() {
    std::thread::scope(|scope| {
        for step in [Step::Data, Step::End] {
            scope.spawn(move || is_sent_after_a_kill(ServerEnv::new(), false, step));
            scope.spawn(move || {
                let Some(database) = PostgresDatabase::new() else { return };
                is_sent_after_a_kill(ServerEnv::on(&database), true, step);
            });
        }
    });
}
