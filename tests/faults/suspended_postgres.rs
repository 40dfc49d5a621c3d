//! PostgreSQL is suspended: its processes and connections exist but do not respond.

use super::{Account, UNAVAILABLE_OR_TIMEOUT, rounds};
use crate::support::{Load, ServerEnv, postgres, wait_until};

#[test]
fn requests_fail_only_while_postgres_is_suspended() {
    let Some(mut postgres) = postgres::dedicated_server() else { return };
    let env = ServerEnv::on_url(&postgres.url);
    let server = env.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        postgres.pause();
        wait_until("/readyz is 503", || server.get("/readyz").status == 503);
        assert_eq!(server.get("/healthz").status, 200);
        load.wait_for_errors(4);
        postgres.resume();
        ann.assert_works_again(&server);
        load.stop();
    }
    ann.assert_nothing_lost_after_kill(&env, server);
    ann.ledger.assert_error_codes_in(UNAVAILABLE_OR_TIMEOUT);
}
