//! Checks that of many simultaneous wrong logins on several instances exactly the permitted number is tried.
//! Any other number is a regression.

use std::sync::Barrier;
use std::thread;

use crate::figures::Report;
use crate::support::{PostgresDatabase, Server, ServerEnv};
use crate::{LOGIN, code, credentials};

const ROUNDS: usize = 20;
const ATTEMPTS: usize = 60;
const PERMITTED: usize = 10;

pub fn run(database: &PostgresDatabase, report: &mut Report) {
    let start = || ServerEnv::on(database).with("LIMIT_CREDENTIALS_PER_MINUTE", "0").start(&[]);
    let servers = [(); 3].map(|()| start());
    let round = |number: usize| {
        let who = format!("user{number}");
        servers[0].register(&who);
        let (start, who) = (&Barrier::new(ATTEMPTS), who.as_str());
        let codes: Vec<String> = thread::scope(|scope| {
            let attempt = |server: &Server| {
                let mut client = server.connect();
                scope.spawn(move || {
                    start.wait();
                    code(&client.post("", LOGIN, &credentials(who, "wrong-horse-1")))
                })
            };
            let attempts: Vec<_> = servers.iter().cycle().take(ATTEMPTS).map(attempt).collect();
            attempts
                .into_iter()
                .map(|attempt| attempt.join().expect("every attempt gets a response"))
                .collect()
        });
        let count = |wanted| codes.iter().filter(|code| *code == wanted).count();
        (count("INVALID_CREDENTIALS"), count("RATE_LIMITED"))
    };
    let rounds: Vec<_> = (0..ROUNDS).map(round).collect();
    println!("  tried and refused, of {ATTEMPTS} over {} processes: {rounds:?}", servers.len());
    let exact = rounds.iter().filter(|round| **round == (PERMITTED, ATTEMPTS - PERMITTED)).count();
    report.bound("rounds with exactly 10 and 50", exact, ROUNDS, exact == ROUNDS);
}
