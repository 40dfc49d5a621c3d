//! Measures how soon an instance refuses a session that was revoked on another one, and how many database
//! lookups cached sessions need. A regression is a delay of two seconds or more than 0.01 lookups per
//! request.

use std::thread;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::figures::{Distribution, Report, ms};
use crate::support::{PostgresDatabase, Server};
use crate::{sign_in, unlimited};

const TRIALS: u32 = 200;
const CONCURRENT_TRIALS: u32 = 4;
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const BOUND: Duration = Duration::from_secs(2);
const REQUESTS: u32 = 2_000;
/// PostgreSQL's processes report their statistics after at most ten idle seconds.
const STATISTICS_DELAY: Duration = Duration::from_secs(12);

/// A query that needs a viewer but no row.
const VIEWER: &str = "{ node(id: \"x\") { id } }";

pub fn run(database: &PostgresDatabase, report: &mut Report) {
    let [a, b] = [(); 2].map(|()| unlimited(database).start(&[]));
    a.register("ann");
    lookups(database, &a, &b, report);

    let delays = thread::scope(|scope| {
        let worker = |number| {
            scope.spawn({
                let (a, b) = (&a, &b);
                move || {
                    (0..TRIALS / CONCURRENT_TRIALS)
                        .map(|trial| delay(a, b, trial * CONCURRENT_TRIALS + number))
                        .collect::<Vec<_>>()
                }
            })
        };
        let workers: Vec<_> = (0..CONCURRENT_TRIALS).map(worker).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("every trial ends")).collect::<Vec<_>>()
    });
    let delays = Distribution::of(delays);
    println!("  from the logout on A to the refusal by B: {delays}");
    report.bound("the longest", ms(delays.max()), ms(BOUND), delays.max() < BOUND);
}

/// One trial: the time from a logout on A until B refuses the session.
fn delay(a: &Server, b: &Server, trial: u32) -> Duration {
    let (mut on_a, mut on_b) = (a.connect(), b.connect());
    let token = sign_in(&mut on_a, "ann");
    let mut refused = || on_b.post(&token, VIEWER, &json!({})).json()["errors"].is_array();
    assert!(!refused(), "B refuses an active session");
    // Spreads the trials over the interval at which B polls revocations.
    thread::sleep(Duration::from_millis(u64::from(trial * 137 % 500)));
    let logout = on_a.post(&token, "mutation { logout { success } }", &json!({})).json();
    assert_eq!(logout["errors"], Value::Null);
    let revoked = Instant::now();
    while !refused() {
        assert!(revoked.elapsed() < 5 * BOUND, "B never refuses the session");
        thread::sleep(POLL_INTERVAL);
    }
    revoked.elapsed()
}

/// Counts the lookups of sessions and users that B needs for requests with an active session.
fn lookups(database: &PostgresDatabase, a: &Server, b: &Server, report: &mut Report) {
    let token = sign_in(&mut a.connect(), "ann");
    let send_requests = |times| {
        let mut client = b.connect();
        for _ in 0..times {
            assert_eq!(client.post(&token, VIEWER, &json!({})).json()["errors"], Value::Null);
        }
    };
    send_requests(1);
    let count = || {
        thread::sleep(STATISTICS_DELAY);
        let scans = "SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::bigint
                     FROM pg_stat_user_tables WHERE relname IN ('sessions', 'users')";
        number(&database.url, scans)
    };
    let before = count();
    send_requests(REQUESTS);
    let lookups = count() - before;
    let each = lookups as f64 / f64::from(REQUESTS);
    println!("  lookups of sessions or users in {REQUESTS} requests to B that need a viewer: {lookups}");
    report.bound("lookups per request", format!("{each:.4}"), "0.01", each <= 0.01);
}

/// Runs a query that returns one number.
fn number(url: &str, sql: &str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let found = runtime.expect("a runtime can be created").block_on(async {
        let database = sea_orm::Database::connect(url).await?;
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        row.expect("the query returns a row").try_get_by_index(0)
    });
    found.expect("the query returns a number")
}
