//! Compares claims with a model in memory: random claims, renewals, completions and changes of the tasks of one list.

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;
use uuid::Uuid;

use crate::support::{Actor, TestApp, Value, for_all, json, on_both_databases};

/// The tasks of the list: the text, the numbers of the tasks for which it waits, and the path that it names.
const TASKS: [(&str, &[usize], &str); 7] = [
    ("one in a.rs", &[], "a.rs"),
    ("two in a.rs", &[], "a.rs"),
    ("three (depends on T001)", &[0], ""),
    ("four in src/", &[], "src/"),
    ("five in src/b.rs (after T003, T004)", &[2, 3], "src/b.rs"),
    ("six (blocked by T001-T002)", &[0, 1], ""),
    ("seven in src/c.rs", &[], "src/c.rs"),
];
/// The claims last one and a half, or three and a half of these steps, so that the time that passes during the test
/// makes no difference.
const STEP_SECONDS: i64 = 600;
const TTLS: [i64; 2] = [900, 2_100];
const CLAIM: &str = "id task { id } expiresAt";
const STATUSES: [&str; 5] = ["PENDING", "PENDING", "IN_PROGRESS", "BLOCKED", "COMPLETED"];

#[derive(Clone, Debug)]
enum Operation {
    /// A claim among the tasks with these numbers, or all; with one of the durations.
    Claim(Option<Vec<usize>>, usize),
    /// The claim with the id of an earlier one.
    ClaimAgain(Index),
    Renew(Index, usize),
    Release(Index),
    Complete(Index),
    SetStatus(usize, &'static str),
    Delete(usize),
    Restore(usize),
    Wait(i64),
}

fn operation() -> impl Strategy<Value = Operation> {
    let task = || 0..TASKS.len();
    let ttl = || 0..TTLS.len();
    prop_oneof![
        6 => (proptest::option::weighted(0.3, vec(task(), 0..4)), ttl()).prop_map(|(keys, ttl)| Operation::Claim(keys, ttl)),
        1 => any::<Index>().prop_map(Operation::ClaimAgain),
        2 => (any::<Index>(), ttl()).prop_map(|(claim, ttl)| Operation::Renew(claim, ttl)),
        2 => any::<Index>().prop_map(Operation::Release),
        4 => any::<Index>().prop_map(Operation::Complete),
        4 => (task(), select(&STATUSES[..])).prop_map(|(task, status)| Operation::SetStatus(task, status)),
        1 => task().prop_map(Operation::Delete),
        2 => task().prop_map(Operation::Restore),
        3 => (1..3_i64).prop_map(Operation::Wait),
    ]
}

#[derive(Clone, Debug)]
struct Task {
    id: String,
    status: &'static str,
    version: i64,
    in_trash: bool,
}

#[derive(Clone, Debug)]
struct Claim {
    id: String,
    task: usize,
    /// By the clock of the model, in seconds.
    expires: i64,
    /// As the service has told it.
    expires_at: Value,
    has_ended: bool,
    was_completed: bool,
}

struct Model {
    now: i64,
    tasks: Vec<Task>,
    claims: Vec<Claim>,
}

impl Model {
    fn live(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| self.is_live(claim))
    }

    fn is_live(&self, claim: &Claim) -> bool {
        !claim.has_ended && claim.expires > self.now
    }

    fn is_open(&self, task: usize) -> bool {
        !self.tasks[task].in_trash && self.tasks[task].status != "COMPLETED"
    }

    fn is_ready(&self, task: usize) -> bool {
        let is_claimed = self.live().any(|claim| claim.task == task);
        let is_pending = !self.tasks[task].in_trash && self.tasks[task].status == "PENDING";
        is_pending && !is_claimed && !TASKS[task].1.iter().any(|other| self.is_open(*other))
    }

    fn is_busy(&self, task: usize) -> bool {
        let overlap = |one: &str, other: &str| {
            let contains = |folder: &str, path: &str| folder.ends_with('/') && path.starts_with(folder);
            one == other || contains(one, other) || contains(other, one)
        };
        let path = TASKS[task].2;
        !path.is_empty()
            && self
                .live()
                .map(|claim| TASKS[claim.task].2)
                .any(|held| !held.is_empty() && overlap(path, held))
    }

    /// The number of the task that is claimed next, or the reason why there is none.
    fn next(&self, keys: Option<&[usize]>) -> Result<usize, &'static str> {
        let considered = || {
            (0..TASKS.len())
                .filter(|task| !self.tasks[*task].in_trash && keys.is_none_or(|keys| keys.contains(task)))
        };
        let mut ready = considered().filter(|task| self.is_ready(*task));
        match ready.find(|task| !self.is_busy(*task)) {
            Some(task) => Ok(task),
            None if considered().any(|task| self.is_ready(task)) => Err("FILES_BUSY"),
            None if considered().any(|task| self.is_open(task)) => Err("WAITING"),
            None => Err("DONE"),
        }
    }

    fn end_claims_of(&mut self, task: usize) {
        self.claims.iter_mut().filter(|claim| claim.task == task).for_each(|claim| claim.has_ended = true);
    }

    fn set_status(&mut self, task: usize, status: &'static str) {
        if self.tasks[task].status != status {
            self.tasks[task].status = status;
            self.tasks[task].version += 1;
            if status == "COMPLETED" {
                self.end_claims_of(task);
            }
        }
    }
}

fn key(task: usize) -> String {
    format!("T{:03}", task + 1)
}

/// A list of a user, and its model.
struct Run<'a> {
    app: &'a TestApp,
    ann: Actor<'a>,
    list: String,
    model: Model,
}

impl<'a> Run<'a> {
    async fn new(app: &'a TestApp, ann: &Actor<'a>) -> Self {
        let line = |(number, task): (usize, &(&str, _, _))| format!("- [ ] {} [P] {}\n", key(number), task.0);
        let lines: String = TASKS.iter().enumerate().map(line).collect();
        let query = "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) {
            taskList { id tasks { nodes { id } } } } }";
        let input = json!({ "markdown": format!("# Tasks: Example\n\n{lines}") });
        let list = ann.data(query, json!({ "input": input })).await["importTaskList"]["taskList"].clone();
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let task =
            |node: &Value| Task { id: text(&node["id"]), status: "PENDING", version: 1, in_trash: false };
        let tasks = list["tasks"]["nodes"].as_array().expect("tasks").iter().map(task).collect();
        Self {
            app,
            ann: ann.clone(),
            list: text(&list["id"]),
            model: Model { now: 0, tasks, claims: Vec::new() },
        }
    }

    async fn call(&self, mutation: &str, selection: &str) -> (Value, Value) {
        let body = self
            .ann
            .execute(&format!("mutation {{ call: {mutation} {{ {selection} }} }}"), json!({}))
            .await
            .body;
        (body["data"]["call"].clone(), body["errors"][0]["extensions"]["code"].clone())
    }

    async fn claim(&mut self, keys: Option<&[usize]>, ttl: usize) -> TestCaseResult {
        let id = Uuid::new_v4().to_string();
        let keys_text = keys.map_or("null".to_owned(), |keys| {
            json!(keys.iter().map(|task| key(*task)).collect::<Vec<_>>()).to_string()
        });
        let input = format!(
            "{{ listId: {:?}, worker: \"x\", id: {id:?}, ttlSeconds: {}, keys: {keys_text} }}",
            self.list, TTLS[ttl]
        );
        let selection = format!("claim {{ {CLAIM} }} reason retryAt");
        let (payload, _) = self.call(&format!("claimNextTask(input: {input})"), &selection).await;
        match self.model.next(keys) {
            Ok(task) => {
                prop_assert_eq!(&payload["claim"]["task"]["id"], &self.model.tasks[task].id, "{}", payload);
                let expires_at = payload["claim"]["expiresAt"].clone();
                let expires = self.model.now + TTLS[ttl];
                self.model.tasks[task].version += 1;
                self.model.claims.push(Claim {
                    id,
                    task,
                    expires,
                    expires_at,
                    has_ended: false,
                    was_completed: false,
                });
            }
            Err(reason) => {
                let first = self.model.live().min_by_key(|claim| claim.expires_at.to_string());
                let retry_at = first.map_or(Value::Null, |claim| claim.expires_at.clone());
                prop_assert_eq!(payload, json!({ "claim": null, "reason": reason, "retryAt": retry_at }));
            }
        }
        Ok(())
    }

    async fn claim_again(&self, index: usize) -> TestCaseResult {
        let claim = &self.model.claims[index];
        let input = format!("{{ listId: {:?}, worker: \"y\", id: {:?} }}", self.list, claim.id);
        let (payload, _) =
            self.call(&format!("claimNextTask(input: {input})"), &format!("claim {{ {CLAIM} }}")).await;
        let expected = json!({ "id": claim.id, "task": { "id": self.model.tasks[claim.task].id }, "expiresAt": claim.expires_at });
        prop_assert_eq!(&payload["claim"], &expected);
        Ok(())
    }

    async fn renew(&mut self, index: usize, ttl: usize) -> TestCaseResult {
        let claim = self.model.claims[index].clone();
        let call = format!("renewClaim(id: {:?}, ttlSeconds: {})", claim.id, TTLS[ttl]);
        let (payload, code) = self.call(&call, &format!("claim {{ {CLAIM} }}")).await;
        if self.model.is_live(&claim) {
            prop_assert_eq!(&payload["claim"]["id"], &claim.id);
            let renewed = &mut self.model.claims[index];
            (renewed.expires, renewed.expires_at) =
                (self.model.now + TTLS[ttl], payload["claim"]["expiresAt"].clone());
        } else {
            prop_assert_eq!((payload, code), (Value::Null, json!("CONFLICT")));
        }
        Ok(())
    }

    async fn release(&mut self, index: usize) -> TestCaseResult {
        let claim = self.model.claims[index].clone();
        let call = format!("releaseClaim(id: {:?})", claim.id);
        let (payload, _) = self.call(&call, "releasedClaimId task { id version }").await;
        if self.model.is_live(&claim) {
            self.model.tasks[claim.task].version += 1;
            self.model.claims[index].has_ended = true;
        }
        let task = &self.model.tasks[claim.task];
        let expected =
            json!({ "releasedClaimId": claim.id, "task": { "id": task.id, "version": task.version } });
        prop_assert_eq!(payload, expected);
        Ok(())
    }

    async fn complete(&mut self, index: usize) -> TestCaseResult {
        let claim = self.model.claims[index].clone();
        let (payload, code) =
            self.call(&format!("completeClaim(id: {:?})", claim.id), "task { id status version }").await;
        if self.model.is_live(&claim) {
            self.model.set_status(claim.task, "COMPLETED");
            self.model.claims[index].was_completed = true;
        } else if !claim.was_completed {
            prop_assert_eq!((payload, code), (Value::Null, json!("CONFLICT")));
            return Ok(());
        }
        let task = &self.model.tasks[claim.task];
        prop_assert_eq!(
            payload["task"].clone(),
            json!({ "id": task.id, "status": task.status, "version": task.version })
        );
        Ok(())
    }

    async fn change(&mut self, operation: &Operation) -> TestCaseResult {
        let (task, call, selection) = match operation {
            Operation::SetStatus(task, status) => (
                *task,
                format!("updateTask(id: {:?}, input: {{ status: {status} }})", self.model.tasks[*task].id),
                "task { version }",
            ),
            Operation::Delete(task) => {
                (*task, format!("deleteTask(id: {:?})", self.model.tasks[*task].id), "deletedTaskId")
            }
            Operation::Restore(task) => {
                (*task, format!("restoreTask(id: {:?})", self.model.tasks[*task].id), "task { version }")
            }
            _ => return Ok(()),
        };
        let (payload, code) = self.call(&call, selection).await;
        if self.model.tasks[task].in_trash && !matches!(operation, Operation::Restore(_)) {
            prop_assert_eq!((payload, code), (Value::Null, json!("NOT_FOUND")));
            return Ok(());
        }
        prop_assert_eq!(code, Value::Null, "{}", call);
        match operation {
            Operation::SetStatus(_, status) => self.model.set_status(task, status),
            Operation::Delete(_) => {
                self.model.tasks[task].in_trash = true;
                self.model.tasks[task].version += 1;
                self.model.end_claims_of(task);
            }
            _ if self.model.tasks[task].in_trash => {
                self.model.tasks[task].in_trash = false;
                self.model.tasks[task].version += 1;
            }
            _ => {}
        }
        Ok(())
    }

    async fn execute(&mut self, operation: &Operation) -> TestCaseResult {
        let count = self.model.claims.len();
        match operation {
            Operation::Claim(keys, ttl) => self.claim(keys.as_deref(), *ttl).await,
            Operation::Wait(steps) => {
                self.app.clock.advance(TimeDelta::seconds(STEP_SECONDS * steps));
                self.model.now += STEP_SECONDS * steps;
                Ok(())
            }
            Operation::ClaimAgain(index) if count > 0 => self.claim_again(index.index(count)).await,
            Operation::Renew(index, ttl) if count > 0 => self.renew(index.index(count), *ttl).await,
            Operation::Release(index) if count > 0 => self.release(index.index(count)).await,
            Operation::Complete(index) if count > 0 => self.complete(index.index(count)).await,
            operation => self.change(operation).await,
        }
    }

    /// Compares the tasks, the ready ones and the live claims.
    async fn compare(&self) -> TestCaseResult {
        let query = format!(
            "query($id: ID!) {{ taskList(id: $id) {{ claims {{ {CLAIM} }} readyTasks {{ nodes {{ id }} }}
             tasks {{ nodes {{ id status version ready claim {{ id }} }} }} }} }}"
        );
        let list = self.ann.data(&query, json!({ "id": self.list })).await["taskList"].clone();
        let model = &self.model;
        let task = |claim: &Claim| json!({ "id": model.tasks[claim.task].id });
        let claims: Vec<Value> = model
            .live()
            .map(|claim| json!({ "id": claim.id, "task": task(claim), "expiresAt": claim.expires_at }))
            .collect();
        prop_assert_eq!(&list["claims"], &json!(claims));
        let active = || (0..TASKS.len()).filter(|task| !model.tasks[*task].in_trash);
        let ready: Vec<Value> = active()
            .filter(|task| model.is_ready(*task))
            .map(|task| json!({ "id": model.tasks[task].id }))
            .collect();
        prop_assert_eq!(&list["readyTasks"]["nodes"], &json!(ready));
        let shown = |number: usize| {
            let claim =
                model.live().find(|claim| claim.task == number).map(|claim| json!({ "id": claim.id }));
            let Task { id, status, version, .. } = &model.tasks[number];
            json!({ "id": id, "status": status, "version": version, "ready": model.is_ready(number), "claim": claim })
        };
        prop_assert_eq!(&list["tasks"]["nodes"], &json!(active().map(shown).collect::<Vec<_>>()));
        Ok(())
    }
}

on_both_databases! {
    /// 8 cases of 60 operations.
    #[flags("--access-token-ttl", "900y", "--session-ttl", "900y")]
    async fn random_operations_on_claims_have_the_results_of_a_model(app) {
        let ann = app.user("ann").await;
        for_all(8, vec(operation(), 60), async |operations| {
            let mut run = Run::new(app, &ann).await;
            for operation in &operations {
                run.execute(operation).await?;
                run.compare().await?;
            }
            Ok(())
        }).await;
    }
}
