//! Requests while the database refuses connections, and after it accepts them again.

use std::time::{Duration, Instant};

use crate::process::{code, login, refresh, sign_in, username_of};
use crate::support::{HttpResponse, PASSWORD, PostgresDatabase, ServerEnv, json, wait_until};

const ME: &str = "{ me { id } }";

fn assert_unavailable(response: &HttpResponse) {
    assert_eq!((response.status, code(response).as_str()), (503, "SERVICE_UNAVAILABLE"), "{}", response.body);
    assert!(response.json().get("data").is_none(), "{}", response.body);
}

#[test]
fn requests_fail_without_the_database_and_succeed_within_a_second_after_it_returns() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    server.register("ann");
    let ann = sign_in(&server, "ann");
    assert_eq!(username_of(&server, &ann.access), "ann");

    database.refuse_connections();
    for _ in 0..20 {
        assert_unavailable(&server.post(&ann.access, ME, &json!({})));
    }
    let create = "mutation { createTask(input: { title: \"one\" }) { task { id } } }";
    assert_unavailable(&server.post(&ann.access, create, &json!({})));
    assert_unavailable(&login(&server, "ann", PASSWORD));
    assert_unavailable(&refresh(&server, &ann.refresh));
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    // Requests that need no database still succeed.
    assert_eq!(server.post("", "{ serverInfo { version } }", &json!({})).status, 200);
    assert_eq!(server.post("forged", ME, &json!({})).status, 401);

    database.accept_connections();
    let accepting_since = Instant::now();
    // The last request that fails counts, not the end of the first one that succeeds: that one may only be slow.
    let mut last_failed = accepting_since;
    wait_until("a request succeeds", || {
        let began = Instant::now();
        let succeeds = server.post(&ann.access, ME, &json!({})).status == 200;
        last_failed = if succeeds { last_failed } else { began };
        succeeds
    });
    let failing = last_failed - accepting_since;
    assert!(failing < Duration::from_secs(1), "{failing:?}");
    assert!(accepting_since.elapsed() < Duration::from_secs(5), "{:?}", accepting_since.elapsed());
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(login(&server, "ann", PASSWORD).status, 200);
}

#[test]
fn closed_database_connections_are_not_reused() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = ServerEnv::on(&database).start(&[]);
    let token = server.register("ann");
    for _ in 0..3 {
        database.refuse_connections();
        database.accept_connections();
        assert_eq!(username_of(&server, &token), "ann");
    }
}
