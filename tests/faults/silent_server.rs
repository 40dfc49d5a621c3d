//! PostgreSQL stops working without ending: its processes are there, and silent.

use super::{Account, UNAVAILABLE_OR_TIMEOUT, rounds};
use crate::support::{Load, Place, postgres, wait_until};

#[test]
fn a_postgres_that_is_stopped_costs_only_the_time_it_is_stopped() {
    let Some(mut postgres) = postgres::own_server() else { return };
    let place = Place::on_url(&postgres.url);
    let server = place.start(&[]);
    let ann = Account::register(&server, "ann");
    for _ in 0..rounds(1) {
        let load = Load::start(&server, &ann.token, &ann.ledger);
        load.wait_for_successes(20);
        postgres.pause();
        wait_until("/readyz is 503", || server.get("/readyz").status == 503);
        assert_eq!(server.get("/healthz").status, 200);
        load.wait_for_refusals(4);
        postgres.resume();
        ann.works_again(&server);
        load.stop();
    }
    ann.finds_everything_after_a_kill(&place, server);
    ann.ledger.check_refusals(UNAVAILABLE_OR_TIMEOUT);
}
