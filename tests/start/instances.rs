//! Several instances that start at once on an empty database.

use super::{assert_works, whose};
use crate::support::{Place, PostgresDatabase};

fn four_start_at_once(place: &Place) {
    let beginning: Vec<_> = (0..4).map(|_| place.begin(&[])).collect();
    let servers: Vec<_> = beginning.into_iter().map(|program| program.ready()).collect();
    servers.iter().for_each(assert_works);
    // One secret: what one signs, all believe.
    for (number, signer) in servers.iter().enumerate() {
        let name = format!("user{number}");
        let token = signer.register(&name);
        for server in &servers {
            assert_eq!(whose(server, &token), name);
        }
    }
    let migrations = place.run(&["migrate", "status"]).stdout;
    assert!(migrations.lines().all(|line| line.starts_with("applied ")), "{migrations}");
    let applied: usize = servers.iter().map(|server| server.log().matches("has been applied").count()).sum();
    assert_eq!(applied, migrations.lines().count());
}

#[test]
fn on_sqlite_they_migrate_once_and_share_a_secret() {
    four_start_at_once(&Place::new());
}

#[test]
fn on_postgres_they_migrate_once_and_share_a_secret() {
    let Some(database) = PostgresDatabase::new() else { return };
    four_start_at_once(&Place::on(&database));
}
