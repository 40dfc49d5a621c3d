//! Mails as a mail server receives them: every kind of refusal, several instances, killed instances, and TLS.

mod concurrency;
mod contents;
mod crashes;
mod figures;
mod files;
mod protection;
#[cfg(unix)]
mod real_server;
mod refusals;
mod slow_servers;

use sea_orm::ConnectionTrait;
use tokio::runtime::Builder;

use crate::support::{LOGIN, MailServer, ReceivedMail, Server, ServerEnv, Value, wait_until};

/// Defines each test twice, as `name::sqlite` and `name::postgres`, with an environment without mails and the
/// URL of its database.
macro_rules! on_both_databases {
    ($(
        $(#[doc = $doc:literal])*
        fn $name:ident($env:ident, $url:ident) $body:block
    )*) => {$(
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports, reason = "some tests do not use all imports of their module")]
            use super::*;
            use crate::support::{PostgresDatabase, ServerEnv};

            fn behaviour($env: ServerEnv, $url: &str) $body

            #[test]
            fn sqlite() {
                let env = ServerEnv::new();
                let url = crate::process::mail::sqlite_url(&env);
                behaviour(env, &url);
            }

            #[test]
            fn postgres() {
                let Some(database) = PostgresDatabase::new() else { return };
                behaviour(ServerEnv::on(&database), &database.url);
            }
        }
    )*};
}
use on_both_databases;

/// The database that a server opens without DATABASE_URL.
fn sqlite_url(env: &ServerEnv) -> String {
    format!("sqlite://{}", env.path("data/taskhold.db").display())
}

/// Runs an SQL statement beside the servers.
fn execute(url: &str, sql: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let done =
        runtime.block_on(async { sea_orm::Database::connect(url).await?.execute_unprepared(sql).await });
    done.expect("the statement is valid");
}

/// An environment whose mails go to a URL.
fn mailing_to(env: ServerEnv, mail_url: &str) -> ServerEnv {
    env.with("MAIL_URL", mail_url)
        .with("MAIL_FROM", "Tasks <tasks@example.com>")
        .with("PUBLIC_URL", "https://tasks.example.com")
        .with("LIMIT_MAILS_PER_HOUR", "0")
        .with("LIMIT_CREDENTIALS_PER_MINUTE", "0")
}

/// The MAIL_URL of a server at which the client signs in.
fn url_with_login(scheme: &str, server: &MailServer, query: &str) -> String {
    let escaped = |text: &str| text.replace('%', "%25").replace('/', "%2F").replace('@', "%40");
    let (user, password) = LOGIN;
    format!("{scheme}://{}:{}@{}{query}", escaped(user), escaped(password), server.address())
}

/// The lines of the log about attempts to send a mail.
fn attempts(server: &Server) -> Vec<Value> {
    let log = server.log();
    let lines = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let lines = lines.map(|line| serde_json::from_str(line).expect("every line is JSON"));
    lines.filter(|line: &Value| line["message"] == "mail").collect()
}

/// Waits until the server has taken this number of mails, and returns them.
fn wait_for_mails(server: &MailServer, count: usize) -> Vec<ReceivedMail> {
    wait_until("the mails arrive", || server.mails().len() >= count);
    server.mails()
}

/// The value of a header; empty if the mail does not have it.
fn header<'a>(mail: &'a ReceivedMail, name: &str) -> &'a str {
    let (head, _) = mail.text.split_once("\r\n\r\n").expect("headers and text");
    let mut headers = head.split("\r\n").filter_map(|line| line.split_once(": "));
    headers.find(|(given, _)| *given == name).map_or("", |(_, value)| value)
}
