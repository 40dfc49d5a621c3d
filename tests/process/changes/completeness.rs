//! Clients that follow the changes of many writers, break off and continue, end with the tasks of the server.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::changes::follower::{Follower, listed};
use crate::process::changes::writers::{Sessions, User, Writer, keep_transactions_open};
use crate::support::{PostgresDatabase, Server, ServerEnv};

const WRITERS: usize = 8;
const FOLLOWERS: usize = 4;
const DURATION: Duration = Duration::from_secs(3);

/// What the followers have found.
#[derive(Debug, Default)]
struct Findings {
    changes: usize,
    /// The tasks of the server that a copy does not have in the same state, and those that only a copy has.
    different: usize,
    /// The changes that were received although the copy had the same or a later version.
    repeated: usize,
    /// The changes that were received after one that was sent after their acknowledgement.
    in_wrong_order: usize,
}

/// Lets the writers change the tasks of two users, while followers read their changes.
fn follow_writers(servers: &[Server], sessions: Sessions<'_>) -> Findings {
    let users = ["ann", "bob"].map(|name| User::register(&servers[0], name));
    let (are_writers_done, until) = (AtomicBool::new(false), Instant::now() + DURATION);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let mut writer = Writer::new(&servers[number % servers.len()], &users, number);
                scope.spawn(move || {
                    while Instant::now() < until {
                        writer.write();
                    }
                })
            })
            .collect();
        let are_writers_done = &are_writers_done;
        let open: Vec<_> = (0..sessions.count)
            .map(|seed| scope.spawn(move || keep_transactions_open(sessions, seed as u64, are_writers_done)))
            .collect();
        let followers: Vec<_> = (0..FOLLOWERS)
            .map(|number| {
                let user = &users[number % users.len()];
                scope.spawn(move || {
                    let mut follower = Follower::new(servers, &user.token, number as u64);
                    while !are_writers_done.load(Ordering::Relaxed) {
                        follower.step();
                    }
                    follower
                })
            })
            .collect();
        let has_failed = writers.into_iter().filter_map(|writer| writer.join().err()).count() > 0;
        are_writers_done.store(true, Ordering::Relaxed);
        assert!(!has_failed, "a writer has failed");
        open.into_iter().for_each(|session| session.join().expect("the session works"));
        let mut findings = Findings::default();
        for (number, follower) in followers.into_iter().enumerate() {
            let mut follower = follower.join().expect("every page is read");
            follower.finish();
            findings.add(&follower, &users[number % users.len()], &servers[0]);
        }
        findings
    })
}

impl Findings {
    fn add(&mut self, follower: &Follower<'_>, user: &User, server: &Server) {
        let (copied, listed) = (&follower.copy.tasks, listed(server, &user.token));
        let ids: BTreeSet<&String> = copied.keys().chain(listed.keys()).collect();
        self.different += ids.iter().filter(|id| copied.get(**id) != listed.get(**id)).count();
        self.repeated += follower.repeated.len();
        let times = &user.changes.lock().expect("no holder panics").times;
        for received in &follower.received {
            self.changes += received.len();
            let mut latest_sent = None;
            for (sent, acknowledged) in received.iter().filter_map(|change| times.get(change)) {
                self.in_wrong_order += usize::from(latest_sent.is_some_and(|latest| latest > acknowledged));
                latest_sent = latest_sent.max(Some(sent));
            }
        }
    }

    fn assert_complete_once_and_in_order(&self) {
        println!("{self:?}");
        assert!(self.changes > 100, "{self:?}");
        assert_eq!((self.different, self.repeated, self.in_wrong_order), (0, 0, 0), "{self:?}");
    }
}

#[test]
fn followers_of_concurrent_writers_on_sqlite_miss_nothing_and_receive_nothing_twice() {
    let env = ServerEnv::new();
    let servers = [env.start(&[])];
    let url = format!("sqlite://{}", env.path("data/taskhold.db").display());
    // SQLite lets one process write at a time, and a server is made to be the only one.
    let sessions = Sessions { url: &url, count: 1, open_and_pause: (5, 200) };
    follow_writers(&servers, sessions).assert_complete_once_and_in_order();
}

#[test]
fn followers_of_concurrent_writers_on_two_instances_miss_nothing_and_receive_nothing_twice() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let servers = [env.start(&[]), env.start(&[])];
    let sessions = Sessions { url: &database.url, count: 2, open_and_pause: (20, 10) };
    follow_writers(&servers, sessions).assert_complete_once_and_in_order();
}

/// Shows that the tests above can fail: with numbers of a sequence, which no lock keeps in the order of the
/// commits, followers miss changes.
#[test]
fn followers_miss_changes_if_a_sequence_takes_the_place_of_the_counters() {
    let Some(database) = PostgresDatabase::new() else { return };
    let env = ServerEnv::on(&database);
    let servers = [env.start(&[]), env.start(&[])];
    database.execute_sql(
        "CREATE SEQUENCE positions;
         CREATE OR REPLACE FUNCTION tasks_take_position() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             NEW.position := nextval('positions');
             RETURN NEW;
         END $$;
         DROP TABLE change_heads;
         CREATE VIEW change_heads AS SELECT owner_id, max(position) AS position, 0::bigint AS valid_from
             FROM tasks GROUP BY owner_id",
    );
    let sessions = Sessions { url: &database.url, count: 8, open_and_pause: (100, 10) };
    let findings = follow_writers(&servers, sessions);
    println!("{findings:?}");
    assert!(findings.different > 0, "{findings:?}");
}
