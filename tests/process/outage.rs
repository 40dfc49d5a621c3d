//! The database goes away and comes back.

use std::time::{Duration, Instant};

use super::{code, login, refresh, sign_in, whose};
use crate::support::{PASSWORD, Place, PostgresDatabase, Reply, json, wait_until};

const ME: &str = "{ me { id } }";

fn assert_unavailable(reply: &Reply) {
    assert_eq!((reply.status, code(reply).as_str()), (503, "SERVICE_UNAVAILABLE"), "{}", reply.body);
    assert!(reply.json().get("data").is_none(), "{}", reply.body);
}

#[test]
fn without_the_database_nothing_is_let_through_and_with_it_everything_at_once() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = Place::on(&database).start(&[]);
    server.register("ann");
    let ann = sign_in(&server, "ann");
    assert_eq!(whose(&server, &ann.access), "ann");

    database.close();
    for _ in 0..20 {
        assert_unavailable(&server.post(&ann.access, ME, &json!({})));
    }
    let create = "mutation { createTask(input: { title: \"one\" }) { task { id } } }";
    assert_unavailable(&server.post(&ann.access, create, &json!({})));
    assert_unavailable(&login(&server, "ann", PASSWORD));
    assert_unavailable(&refresh(&server, &ann.refresh));
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    // What needs no database goes on.
    assert_eq!(server.post("", "{ serverInfo { version } }", &json!({})).status, 200);
    assert_eq!(server.post("forged", ME, &json!({})).status, 401);

    database.open();
    let back = Instant::now();
    wait_until("it works again", || server.post(&ann.access, ME, &json!({})).status == 200);
    assert!(back.elapsed() < Duration::from_secs(1), "{:?}", back.elapsed());
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(login(&server, "ann", PASSWORD).status, 200);
}

#[test]
fn connections_that_died_are_handed_to_nobody() {
    let Some(database) = PostgresDatabase::new() else { return };
    let server = Place::on(&database).start(&[]);
    let token = server.register("ann");
    for _ in 0..3 {
        database.close();
        database.open();
        assert_eq!(whose(&server, &token), "ann");
    }
}
