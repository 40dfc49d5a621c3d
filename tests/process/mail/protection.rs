//! TLS and the login at the mail server.

use super::{mailing_to, url_with_login};
use crate::support::{Authority, LOGIN, MailServer, Protection, Reply, ServerEnv, Step};

/// An environment that trusts an authority.
fn trusting(authority: &Authority, mail_url: &str) -> ServerEnv {
    let env = mailing_to(ServerEnv::new(), mail_url);
    env.write("authority.pem", &authority.pem);
    env.with("SSL_CERT_FILE", "authority.pem")
}

fn protections(authority: &Authority) -> [(Protection, &'static str, &'static str); 2] {
    let config = authority.config.clone();
    [(Protection::Tls(config.clone()), "smtps", ""), (Protection::StartTls(config), "smtp", "?tls=required")]
}

#[test]
fn mails_are_sent_over_tls_after_the_login() {
    let authority = Authority::new();
    for (protection, scheme, query) in protections(&authority) {
        let mails = MailServer::protected(protection);
        let env = trusting(&authority, &url_with_login(scheme, &mails, query));
        let run = env.run(&["mail", "test", "bob@example.org"]);
        assert!(run.success, "{scheme}: {}", run.stderr);
        assert_eq!(run.stdout, "sent: the mail server took the mail (code 250)\n");
        let mail = mails.mails().remove(0);
        assert!(mail.is_protected && mail.has_signed_in, "{mail:?}");
        assert_eq!(
            (mail.from.as_str(), mail.to.as_slice()),
            ("<tasks@example.com>", &["<bob@example.org>".to_owned()][..])
        );
        assert_eq!(mail.client, "tasks.example.com");
        let check = env.run(&["check"]);
        assert!(check.success && check.stdout.contains(", signed in"), "{}{}", check.stdout, check.stderr);
    }
}

#[test]
fn a_mail_server_with_a_certificate_of_an_unknown_authority_gets_nothing() {
    let authority = Authority::new();
    for (protection, scheme, query) in protections(&authority) {
        let mails = MailServer::protected(protection);
        for env in [
            mailing_to(ServerEnv::new(), &url_with_login(scheme, &mails, query)),
            trusting(&Authority::new(), &url_with_login(scheme, &mails, query)),
            // The certificate is for another name.
            trusting(&authority, &url_with_login(scheme, &mails, query).replace("localhost", "127.0.0.1")),
        ] {
            for command in [&["mail", "test", "bob@example.org"][..], &["check"]] {
                let run = env.run(command);
                assert!(!run.success && run.stderr.contains("certificate"), "{command:?}: {}", run.stderr);
            }
        }
        assert_eq!((mails.reached(Step::Auth), mails.reached(Step::Mail)), (0, 0));
    }
}

#[test]
fn a_mail_server_without_the_required_starttls_gets_nothing() {
    let mails = MailServer::start();
    let env = mailing_to(ServerEnv::new(), &url_with_login("smtp", &mails, "?tls=required"));
    let run = env.run(&["mail", "test", "bob@example.org"]);
    assert!(!run.success && run.stderr.contains("STARTTLS"), "{}", run.stderr);
    assert_eq!((mails.reached(Step::Auth), mails.reached(Step::Mail)), (0, 0));
}

/// What the mail server, or an attacker between, sends before TLS begins must not count as replies after it.
#[test]
fn replies_that_come_with_the_one_to_starttls_are_not_used() {
    let authority = Authority::new();
    let protection = Protection::StartTls(authority.config.clone());
    let mails = MailServer::with_options(protection, &["AUTH PLAIN"], |reached| match reached.step {
        Step::StartTls => Reply::Text("220 go ahead\r\n250-localhost\r\n250 AUTH PLAIN"),
        _ => Reply::Ok,
    });
    let env = trusting(&authority, &url_with_login("smtp", &mails, "?tls=required"));
    let run = env.run(&["mail", "test", "bob@example.org"]);
    assert!(!run.success && run.stderr.contains("STARTTLS"), "{}", run.stderr);
    assert_eq!((mails.reached(Step::StartTls), mails.reached(Step::Auth)), (1, 0));
}

#[test]
fn the_check_fails_when_the_mail_server_refuses_the_login_or_is_not_there() {
    let mails = MailServer::with(|reached| match reached.step {
        Step::Auth => Reply::Code(535),
        _ => Reply::Ok,
    });
    let env = mailing_to(ServerEnv::new(), &url_with_login("smtp", &mails, ""));
    let refused = env.run(&["check"]);
    assert!(
        !refused.success && refused.stderr.contains("refused the login (code 535)"),
        "{}",
        refused.stderr
    );
    drop(mails);
    let absent = env.run(&["check"]);
    assert!(!absent.success && absent.stderr.contains("cannot be reached"), "{}", absent.stderr);
    for run in [refused, absent] {
        let output = run.stdout + &run.stderr;
        assert!(!output.contains(LOGIN.1) && !output.contains("s3"), "{output}");
    }
    // A start does not need the mail server.
    assert_eq!(env.start(&[]).get("/readyz").status, 200);
}
