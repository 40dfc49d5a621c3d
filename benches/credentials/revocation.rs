//! How soon a session that was ended on one instance is refused by another, and what believing in
//! sessions costs the database.

use std::thread;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::figures::{Distribution, Report, ms};
use crate::support::{PostgresDatabase, Server};
use crate::{sign_in, unlimited};

const TRIALS: u32 = 200;
const AT_ONCE: u32 = 4;
const POLL_EVERY: Duration = Duration::from_millis(20);
const BOUND: Duration = Duration::from_secs(2);
const REQUESTS: u32 = 2_000;
/// PostgreSQL's processes report what they did after ten idle seconds at the latest.
const COUNTED_AFTER: Duration = Duration::from_secs(12);

/// Needs a viewer, and no row.
const VIEWER: &str = "{ node(id: \"x\") { id } }";

pub fn run(database: &PostgresDatabase, report: &mut Report) {
    let [a, b] = [(); 2].map(|()| unlimited(database).start(&[]));
    a.register("ann");
    look_ups(database, &a, &b, report);

    let delays = thread::scope(|scope| {
        let worker = |number| {
            scope.spawn({
                let (a, b) = (&a, &b);
                move || {
                    (0..TRIALS / AT_ONCE)
                        .map(|trial| delay(a, b, trial * AT_ONCE + number))
                        .collect::<Vec<_>>()
                }
            })
        };
        let workers: Vec<_> = (0..AT_ONCE).map(worker).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("every trial ends")).collect::<Vec<_>>()
    });
    let delays = Distribution::of(delays);
    println!("  from the logout on A to the refusal by B: {delays}");
    report.bound("the longest", ms(delays.max()), ms(BOUND), delays.max() < BOUND);
}

/// One trial: how long B goes on to believe in a session that A has ended.
fn delay(a: &Server, b: &Server, trial: u32) -> Duration {
    let (mut on_a, mut on_b) = (a.connect(), b.connect());
    let token = sign_in(&mut on_a, "ann");
    let mut refused = || on_b.post(&token, VIEWER, &json!({})).json()["errors"].is_array();
    assert!(!refused(), "B refuses a session that is alive");
    // Else each trial would begin at the same place between two of B's looks at the database.
    thread::sleep(Duration::from_millis(u64::from(trial * 137 % 500)));
    let logout = on_a.post(&token, "mutation { logout { success } }", &json!({})).json();
    assert_eq!(logout["errors"], Value::Null);
    let ended = Instant::now();
    while !refused() {
        assert!(ended.elapsed() < 5 * BOUND, "B never refuses the session");
        thread::sleep(POLL_EVERY);
    }
    ended.elapsed()
}

/// Counts what B asks the database while all is well.
fn look_ups(database: &PostgresDatabase, a: &Server, b: &Server, report: &mut Report) {
    let token = sign_in(&mut a.connect(), "ann");
    let ask = |times| {
        let mut client = b.connect();
        for _ in 0..times {
            assert_eq!(client.post(&token, VIEWER, &json!({})).json()["errors"], Value::Null);
        }
    };
    ask(1);
    let count = || {
        thread::sleep(COUNTED_AFTER);
        let scans = "SELECT sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::bigint
                     FROM pg_stat_user_tables WHERE relname IN ('sessions', 'users')";
        number(&database.url, scans)
    };
    let before = count();
    ask(REQUESTS);
    let look_ups = count() - before;
    let each = look_ups as f64 / f64::from(REQUESTS);
    println!("  look-ups of sessions or users in {REQUESTS} requests to B that need a viewer: {look_ups}");
    report.bound("look-ups per request", format!("{each:.4}"), "0.01", each <= 0.01);
}

/// The number that a query gives.
fn number(url: &str, sql: &str) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let found = runtime.expect("a runtime can be made").block_on(async {
        let database = sea_orm::Database::connect(url).await?;
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        row.expect("the query gives a row").try_get_by_index(0)
    });
    found.expect("the query gives a number")
}
