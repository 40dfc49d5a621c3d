//! Several mails at the same time, and several instances.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{attempts, execute, header, mailing_to, on_both_databases, wait_for_mails};
use crate::support::{MailServer, PostgresDatabase, Reply, ServerEnv, Step, wait_until, wait_within};

#[test]
fn two_instances_send_each_of_a_thousand_mails_once() {
    let Some(database) = PostgresDatabase::new() else { return };
    let mails = MailServer::start();
    let env = mailing_to(ServerEnv::on(&database), &mails.url());
    let servers = [env.start(&[]), env.start(&[])];
    execute(
        &database.url,
        "INSERT INTO mails (id, kind, recipient, event_at, created_at, due_at, attempts, gives_up_at)
         SELECT gen_random_uuid(), 'password-changed', 'user' || number || '@example.com', now(), now(),
             'epoch', 0, now() + interval '1 hour'
         FROM generate_series(1, 1000) AS number",
    );
    let is_sent = || attempts(&servers[0]).len() + attempts(&servers[1]).len() >= 1_000;
    wait_within(Duration::from_secs(120), "the mails are sent", is_sent);
    let all = mails.mails();
    let distinct = |name| all.iter().map(|mail| header(mail, name)).collect::<HashSet<_>>().len();
    assert_eq!((all.len(), distinct("To"), distinct("Message-ID")), (1_000, 1_000, 1_000));
    assert!(servers.iter().all(|server| !attempts(server).is_empty()));
    assert!(mails.most_connections() <= 8, "{}", mails.most_connections());
}

on_both_databases! {
    fn an_instance_sends_four_mails_at_the_same_time(env, _url) {
        let mails = MailServer::with(|reached| match reached.step {
            Step::End => Reply::Late(Duration::from_secs(2)),
            _ => Reply::Ok,
        });
        let server = mailing_to(env, &mails.url()).start(&[]);
        for number in 0..8 {
            server.register(&format!("user{number}"));
        }
        wait_for_mails(&mails, 8);
        assert_eq!(mails.most_connections(), 4);
    }

    /// The server does not reply to those that are tried again.
    fn mails_that_were_not_delivered_do_not_hold_up_new_ones(env, _url) {
        let mails = MailServer::with(|reached| match (reached.step, reached.line.contains("slow")) {
            (Step::Rcpt, true) if reached.count <= 4 => Reply::Code(450),
            (Step::Rcpt, true) => Reply::Late(Duration::from_secs(40)),
            _ => Reply::Ok,
        });
        let server = mailing_to(env, &mails.url()).start(&[]);
        for number in 0..4 {
            server.register(&format!("slow{number}"));
        }
        wait_within(Duration::from_secs(30), "they are tried again", || mails.reached(Step::Rcpt) >= 7);
        let began = Instant::now();
        server.register("ann");
        wait_until("the new mail is delivered", || mails.mails().len() == 1);
        // The limit is two seconds after the commit; the registration takes time too.
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }

    fn no_request_waits_for_the_mail_server(env, _url) {
        let mails = MailServer::with(|_| Reply::Late(Duration::from_secs(40)));
        let server = mailing_to(env, &mails.url()).start(&[]);
        server.register("warm");
        let began = Instant::now();
        for number in 0..6 {
            server.register(&format!("user{number}"));
        }
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
        assert_eq!(server.get("/readyz").status, 200);
    }
}
