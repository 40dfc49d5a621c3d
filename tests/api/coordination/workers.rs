//! Sixteen concurrent workers work off a real list: no task is done twice or left out, and no file has two workers at one
//! time, also when some of the workers stop without a word.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use uuid::Uuid;

use super::support::{List, SEED_LIST, claim_call, text};
use crate::support::{TestApp, Value, json, on_both_databases};

const WORKERS: usize = 16;
const TTL: i64 = 30;

/// A claim that a worker has received, and when its task was completed.
struct Held {
    key: String,
    paths: Vec<String>,
    claimed_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// The time before the request that completed the claim.
    until: Option<DateTime<Utc>>,
}

/// What the workers of a list share.
struct Work<'a> {
    app: &'a TestApp,
    list: &'a List<'a>,
    held: RefCell<Vec<Held>>,
    completed: RefCell<BTreeMap<String, usize>>,
    /// The workers that have a claim at this moment.
    busy: Cell<usize>,
    /// The workers that stop without releasing their claim: one in this number of claims. 0 for none.
    stops: u128,
}

impl<'a> Work<'a> {
    fn new(app: &'a TestApp, list: &'a List<'a>, stops: u128) -> Self {
        let (held, completed) = (RefCell::default(), RefCell::default());
        Self { app, list, held, completed, busy: Cell::new(0), stops }
    }

    /// Works until nothing is left, or until this worker stops.
    async fn work(&self, worker: usize) {
        loop {
            let id = Uuid::new_v4();
            let input = json!({ "id": id, "worker": format!("worker {worker}"), "ttlSeconds": TTL });
            let payload = self.list.next(input).await;
            match payload["reason"].as_str() {
                Some("DONE") => return,
                Some(_) => self.wait(&payload).await,
                None => {
                    let index = self.record(&payload["claim"]);
                    // One worker never stops, so that the list is worked off.
                    if worker > 0 && self.stops > 0 && id.as_u128().is_multiple_of(self.stops) {
                        return;
                    }
                    self.complete(index, &id.to_string()).await;
                }
            }
        }
    }

    /// Waits a moment. When no worker is at work, the claims of those that have stopped must expire first.
    async fn wait(&self, payload: &Value) {
        if self.stops > 0 && self.busy.get() == 0 && !payload["retryAt"].is_null() {
            self.app.clock.advance(TimeDelta::seconds(TTL));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    /// Records a claim, and asserts that no other worker has one of its files.
    fn record(&self, claim: &Value) -> usize {
        let time = |name: &str| text(&claim[name]).parse::<DateTime<Utc>>().expect("a time");
        let paths: Vec<String> = claim["paths"].as_array().expect("paths").iter().map(text).collect();
        let new = Held {
            key: text(&claim["task"]["key"]),
            paths,
            claimed_at: time("claimedAt"),
            expires_at: time("expiresAt"),
            until: None,
        };
        let mut held = self.held.borrow_mut();
        for other in held.iter().filter(|other| other.until.is_none_or(|until| until > new.claimed_at)) {
            // The responses may arrive in another order than that of the claims.
            let is_live = other.expires_at > new.claimed_at && new.expires_at > other.claimed_at;
            let is_same = other.key == new.key || other.paths.iter().any(|path| new.paths.contains(path));
            assert!(!is_live || !is_same, "{} and {} at one time", other.key, new.key);
        }
        held.push(new);
        held.len() - 1
    }

    async fn complete(&self, index: usize, id: &str) {
        self.busy.set(self.busy.get() + 1);
        tokio::time::sleep(Duration::from_millis(2)).await;
        // The claim ends later than this, when the server has received the request.
        self.held.borrow_mut()[index].until = Some(self.app.clock.now());
        let response = claim_call(&self.list.owner, "completeClaim", id).await;
        self.busy.set(self.busy.get() - 1);
        let key = self.held.borrow()[index].key.clone();
        if response.body.get("errors").is_none() {
            *self.completed.borrow_mut().entry(key).or_default() += 1;
        } else {
            assert!(self.stops > 0 && response.code() == "CONFLICT", "{:#}", response.body);
        }
    }

    /// Asserts that each open task of the seed list was completed once.
    async fn assert_worked_off(&self) {
        let expected: BTreeMap<String, usize> =
            (14..=70).map(|number| (format!("T{number:03}"), 1)).collect();
        assert_eq!(*self.completed.borrow(), expected);
        let shown = self.list.read("progress { done total } claims { id } readyTasks { totalCount }").await;
        let none = json!({ "totalCount": 0 });
        assert_eq!(
            shown,
            json!({ "progress": { "done": 70, "total": 70 }, "claims": [], "readyTasks": none })
        );
    }
}

on_both_databases! {
    async fn sixteen_workers_work_off_a_list(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, SEED_LIST).await;
        let work = Work::new(app, &list, 0);
        join_all((0..WORKERS).map(|worker| work.work(worker))).await;
        assert_eq!(work.held.borrow().len(), 57, "no task was claimed twice");
        work.assert_worked_off().await;
    }

    async fn the_tasks_of_workers_that_stop_are_taken_over(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, SEED_LIST).await;
        let work = Work::new(app, &list, 4);
        join_all((0..WORKERS).map(|worker| work.work(worker))).await;
        assert!(work.held.borrow().len() > 57, "some have stopped");
        work.assert_worked_off().await;
    }
}
