//! Measures the queue of mails: two instances on a temporary PostgreSQL send 10,000 mails to a mail server that is
//! down at first. `cargo bench --bench mail` fails if a mail arrives twice, or not within half an hour.

#[path = "../support/figures.rs"]
#[allow(dead_code, reason = "other benchmarks use more of these figures")]
mod figures;

#[allow(dead_code, reason = "the tests use more of these helpers")]
#[path = "../../tests/support"]
mod support {
    mod client;
    mod database;
    mod mail_server;
    pub mod postgres;
    mod server;
    mod sql_session;

    pub use client::PASSWORD;
    pub use database::PostgresDatabase;
    pub use mail_server::{MailServer, Reply, Step};
    pub use server::ServerEnv;
    pub use sql_session::SqlSession;
}

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use figures::Report;
use support::{MailServer, PostgresDatabase, Reply, ServerEnv, Step};

const MAILS: usize = 10_000;
/// How long the mail server is down.
const OUTAGE: Duration = Duration::from_secs(60);
/// The longest pause after the attempts of the outage is two minutes; the rest is for the deliveries.
const LIMIT: Duration = Duration::from_secs(1_800);

fn main() -> ExitCode {
    let Some(database) = PostgresDatabase::new() else { return ExitCode::FAILURE };
    let is_down = Arc::new(AtomicBool::new(true));
    let outage = is_down.clone();
    let mails = MailServer::with(move |reached| match reached.step {
        Step::Greeting if outage.load(Ordering::Relaxed) => Reply::Cut,
        _ => Reply::Ok,
    });
    let env = ServerEnv::on(&database)
        .with("MAIL_URL", &mails.url())
        .with("MAIL_FROM", "tasks@example.com")
        .with("PUBLIC_URL", "https://tasks.example.com");
    let _servers = [env.start(&[]), env.start(&[])];
    database.execute_sql(&format!(
        "INSERT INTO mails (id, kind, recipient, event_at, created_at, due_at, attempts, gives_up_at)
         SELECT gen_random_uuid(), 'password-changed', 'user' || number || '@example.com', now(), now(), 'epoch', 0,
             now() + interval '72 hours'
         FROM generate_series(1, {MAILS}) AS number"
    ));
    thread::sleep(OUTAGE);
    println!("attempts during the outage of {OUTAGE:?}: {}", mails.reached(Step::Greeting));
    is_down.store(false, Ordering::Relaxed);

    let began = Instant::now();
    let mut rows = database.session();
    while rows.number("SELECT count(*) FROM mails") > 0 && began.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(100));
    }
    let took = began.elapsed();
    let mut recipients: Vec<_> = mails.mails().into_iter().flat_map(|mail| mail.to).collect();
    let arrived = recipients.len();
    recipients.sort();
    recipients.dedup();
    println!("until all were delivered: {:.1} s", took.as_secs_f64());
    let mut report = Report::default();
    report.bound("mails that arrived", recipients.len(), MAILS, recipients.len() == MAILS);
    let twice = arrived - recipients.len();
    report.bound("mails that arrived twice", twice, 0, twice == 0);
    report.exit_code()
}
