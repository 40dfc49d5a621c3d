//! Mails to a mail server that others wrote.

use super::{attempts, mailing_to};
use crate::support::{Authority, Exim, ServerEnv, wait_until};

#[test]
fn exim_takes_mails_over_tls_after_the_login() {
    let authority = Authority::new();
    let Some(exim) = Exim::start(&authority) else { return };
    let (tls, start_tls) = (exim.tls_port, exim.start_tls_port);
    let env = |mail_url: &str| {
        let env = mailing_to(ServerEnv::new(), mail_url).with("SSL_CERT_FILE", "authority.pem");
        env.write("authority.pem", &authority.pem);
        env
    };
    for (count, mail_url) in [
        format!("smtps://ann%40example.com:s3%2Fcret%25word@localhost:{tls}"),
        format!("smtp://ann%40example.com:s3%2Fcret%25word@localhost:{start_tls}?tls=required"),
    ]
    .iter()
    .enumerate()
    {
        let env = env(mail_url);
        let check = env.run(&["check"]);
        assert!(check.success && check.stdout.contains(", signed in"), "{}{}", check.stdout, check.stderr);
        let server = env.start(&[]);
        server.register("bob");
        wait_until("the mail is sent", || attempts(&server).iter().any(|line| line["outcome"] == "sent"));
        let mails = exim.mails();
        assert_eq!(mails.len(), count + 1);
        let (headers, text) = &mails[count];
        assert!(headers.contains("To: bob@example.com\n") && headers.contains("esmtpsa"), "{headers}");
        assert_eq!(
            text.matches("\nhttps://tasks.example.com/account/verify-email#token=").count(),
            1,
            "{text}"
        );
    }
    for (mail_url, refusal) in [
        (format!("smtps://ann%40example.com:wrong@localhost:{tls}"), "refused the login (code 535)"),
        (format!("smtps://localhost:{tls}"), "refused the mail (code 550)"),
    ] {
        let run = env(&mail_url).run(&["mail", "test", "bob@example.com"]);
        assert!(!run.success && run.stderr.contains(refusal), "{}", run.stderr);
    }
    assert_eq!(exim.mails().len(), 2);
}
