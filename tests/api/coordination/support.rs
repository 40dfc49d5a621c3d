//! Requests about dependencies and claims that the tests of this folder share.

use std::collections::BTreeMap;

use crate::support::{Actor, GraphqlResponse, Value, code, faults, json};

/// The selection of a claim.
pub const CLAIM: &str = "id task { id key } worker paths claimedAt expiresAt";
/// A real list of 70 tasks.
pub const SEED_LIST: &str = include_str!("../../../crates/task-documents/tests/data/list.md");
/// An id that no object has.
pub const UNKNOWN_ID: &str = "00000000-0000-7000-8000-000000000000";

/// A task list of a user, and the ids of its tasks by their keys.
pub struct List<'a> {
    pub owner: Actor<'a>,
    pub id: String,
    ids: BTreeMap<String, String>,
}

impl<'a> List<'a> {
    /// Imports a list in which the order of the document counts.
    pub async fn import(owner: &Actor<'a>, markdown: &str) -> Self {
        Self::with_ordering(owner, markdown, "MARKED").await
    }

    pub async fn with_ordering(owner: &Actor<'a>, markdown: &str, ordering: &str) -> Self {
        let query =
            "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { id } } }";
        let input = json!({ "markdown": markdown, "ordering": ordering });
        let id =
            text(&owner.data(query, json!({ "input": input })).await["importTaskList"]["taskList"]["id"]);
        let mut list = Self { owner: owner.clone(), id, ids: BTreeMap::new() };
        list.read_tasks().await;
        list
    }

    /// Learns the tasks that the list has now.
    pub async fn read_tasks(&mut self) {
        let nodes = self.read("tasks(first: 100) { nodes { id key } }").await["tasks"]["nodes"].clone();
        let nodes = nodes.as_array().expect("tasks");
        self.ids = nodes.iter().map(|task| (text(&task["key"]), text(&task["id"]))).collect();
    }

    /// The id of the task with a key.
    pub fn task(&self, key: &str) -> &str {
        self.ids.get(key).unwrap_or_else(|| panic!("the list has no {key}"))
    }

    /// Reads fields of the list.
    pub async fn read(&self, fields: &str) -> Value {
        let query = format!("query($id: ID!) {{ taskList(id: $id) {{ {fields} }} }}");
        self.owner.data(&query, json!({ "id": self.id })).await["taskList"].clone()
    }

    /// Reads fields of a task.
    pub async fn fields(&self, key: &str, fields: &str) -> Value {
        fields_of(&self.owner, self.task(key), fields).await
    }

    /// The keys of the ready tasks.
    pub async fn ready(&self) -> Vec<String> {
        keys(&self.read("readyTasks(first: 100) { nodes { key } }").await["readyTasks"]["nodes"])
    }

    /// The keys of the tasks that a field of a task lists: `blockedBy`, `blocks` or `waitsFor`.
    pub async fn related(&self, key: &str, field: &str) -> Vec<String> {
        related(&self.owner, self.task(key), field).await
    }

    /// Calls a mutation that only needs the id of a task.
    pub async fn call(&self, mutation: &str, key: &str) -> Value {
        call(&self.owner, mutation, self.task(key)).await
    }

    /// Moves a task to the trash.
    pub async fn delete(&self, key: &str) {
        let query = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
        self.owner.data(query, json!({ "id": self.task(key) })).await;
    }

    /// Changes a task.
    pub async fn update(&self, key: &str, input: Value) {
        let query = "mutation($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { task { id } } }";
        self.owner.data(query, json!({ "id": self.task(key), "input": input })).await;
    }

    /// Requests a claim, with this input beside the list and the worker.
    pub async fn next(&self, mut input: Value) -> Value {
        input["listId"] = json!(self.id);
        if input["worker"].is_null() {
            input["worker"] = json!("a worker");
        }
        let payload =
            self.owner.data(&claim_next(), json!({ "input": input })).await["claimNextTask"].clone();
        let (claim, reason) = (&payload["claim"], &payload["reason"]);
        assert!(claim.is_null() != reason.is_null(), "a claim or a reason: {payload}");
        assert!(claim.is_null() || payload["retryAt"].is_null(), "{payload}");
        payload
    }

    /// Claims the next task, which exists.
    pub async fn claim(&self, input: Value) -> Value {
        let payload = self.next(input.clone()).await;
        assert!(payload["claim"].is_object(), "no claim with {input}: {payload}");
        payload["claim"].clone()
    }

    /// Claims the task with this key. Returns the id of the claim.
    pub async fn claim_of(&self, key: &str) -> String {
        let claim = self.claim(json!({ "keys": [key] })).await;
        assert_eq!(claim["task"]["key"], key);
        text(&claim["id"])
    }

    /// The key of the next task that is claimed, or the reason why there is none.
    pub async fn next_key(&self, input: Value) -> String {
        let payload = self.next(input).await;
        let key = payload["claim"]["task"]["key"].as_str().or(payload["reason"].as_str());
        key.expect("a claim or a reason").to_owned()
    }

    /// The keys of the tasks with a live claim, oldest claim first.
    pub async fn claimed(&self) -> Vec<String> {
        let claims = self.read("claims { task { key } }").await["claims"].clone();
        claims.as_array().expect("claims").iter().map(|claim| text(&claim["task"]["key"])).collect()
    }

    /// The version of a task.
    pub async fn version(&self, key: &str) -> i64 {
        self.fields(key, "version").await["version"].as_i64().expect("a number")
    }
}

/// The operation of claimNextTask.
pub fn claim_next() -> String {
    format!(
        "mutation($input: ClaimNextTaskInput!) {{ claimNextTask(input: $input) {{
         claim {{ {CLAIM} }} reason retryAt }} }}"
    )
}

/// A JSON text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text")).to_owned()
}

/// The keys of tasks; of a task without a key, the title.
pub fn keys(tasks: &Value) -> Vec<String> {
    let name = |task: &Value| text(if task["key"].is_null() { &task["title"] } else { &task["key"] });
    tasks.as_array().expect("tasks").iter().map(name).collect()
}

/// Reads fields of a task.
pub async fn fields_of(actor: &Actor<'_>, id: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ task(id: $id) {{ {fields} }} }}");
    actor.data(&query, json!({ "id": id })).await["task"].clone()
}

/// The keys (or titles) of the tasks that a field of a task lists.
pub async fn related(actor: &Actor<'_>, id: &str, field: &str) -> Vec<String> {
    keys(&fields_of(actor, id, &format!("{field} {{ key title }}")).await[field])
}

/// Calls completeTask, reopenTask or restoreTask. Returns the task.
pub async fn call(actor: &Actor<'_>, mutation: &str, id: &str) -> Value {
    let query = format!("mutation($id: ID!) {{ {mutation}(id: $id) {{ task {{ id status version }} }} }}");
    actor.data(&query, json!({ "id": id })).await[mutation]["task"].clone()
}

/// Calls renewClaim, releaseClaim or completeClaim.
pub async fn claim_call(actor: &Actor<'_>, mutation: &str, id: &str) -> GraphqlResponse {
    let selection = match mutation {
        "renewClaim" => format!("claim {{ {CLAIM} }}"),
        "releaseClaim" => "releasedClaimId task { id status version claim { id } }".to_owned(),
        _ => "task { id status version claim { id } }".to_owned(),
    };
    actor
        .execute(
            &format!("mutation($id: ID!) {{ {mutation}(id: $id) {{ {selection} }} }}"),
            json!({ "id": id }),
        )
        .await
}

/// Calls renewClaim, releaseClaim or completeClaim, which succeeds. Returns the payload.
pub async fn done(actor: &Actor<'_>, mutation: &str, id: &str) -> Value {
    let response = claim_call(actor, mutation, id).await;
    assert!(response.body.get("errors").is_none(), "{mutation}: {:#}", response.body);
    response.body["data"][mutation].clone()
}

/// Calls renewClaim, releaseClaim or completeClaim, which fails. Returns the code of the error.
pub async fn failed(actor: &Actor<'_>, mutation: &str, id: &str) -> String {
    let response = claim_call(actor, mutation, id).await;
    assert_eq!(response.body["data"][mutation], Value::Null, "{mutation}");
    response.code()
}

const DEPENDENCY: &str = "task { id version } blockedBy { id version }";

async fn dependency(actor: &Actor<'_>, mutation: &str, task: &str, other: &str) -> GraphqlResponse {
    let query = format!(
        "mutation($task: ID!, $other: ID!) {{ {mutation}(taskId: $task, blockedById: $other) {{ {DEPENDENCY} }} }}"
    );
    actor.execute(&query, json!({ "task": task, "other": other })).await
}

async fn dependency_data(actor: &Actor<'_>, mutation: &str, task: &str, other: &str) -> i64 {
    let body = dependency(actor, mutation, task, other).await.body;
    let payload = &body["data"][mutation];
    assert_eq!(
        (&payload["task"]["id"], &payload["blockedBy"]["id"]),
        (&json!(task), &json!(other)),
        "{body:#}"
    );
    payload["task"]["version"].as_i64().expect("a version")
}

async fn dependency_error(actor: &Actor<'_>, mutation: &str, task: &str, other: &str) -> String {
    let error = dependency(actor, mutation, task, other).await.error();
    assert_eq!(error["path"], json!([mutation]));
    let mut found = vec![code(&error)];
    found.extend(faults(&error));
    found.join(" ")
}

/// Makes a task wait for another. Returns the version of the waiting task.
pub async fn add(actor: &Actor<'_>, task: &str, other: &str) -> i64 {
    dependency_data(actor, "addDependency", task, other).await
}

/// Removes a dependency. Returns the version of the task.
pub async fn remove(actor: &Actor<'_>, task: &str, other: &str) -> i64 {
    dependency_data(actor, "removeDependency", task, other).await
}

/// The code and the faults of addDependency, which fails.
pub async fn add_error(actor: &Actor<'_>, task: &str, other: &str) -> String {
    dependency_error(actor, "addDependency", task, other).await
}

/// The code and the faults of removeDependency, which fails.
pub async fn remove_error(actor: &Actor<'_>, task: &str, other: &str) -> String {
    dependency_error(actor, "removeDependency", task, other).await
}

/// The code and the faults of a dependency that would complete a cycle.
pub const CYCLE: &str = "BAD_USER_INPUT blockedById cycle";

/// A list with these texts of tasks, T001 and so on, in one phase. They have the mark [P].
pub fn parallel_list(texts: &[&str]) -> String {
    list_of(texts, " [P]")
}

/// A list with these texts of tasks, T001 and so on, in one phase, each with marks.
pub fn list_of(texts: &[&str], marks: &str) -> String {
    let line = |(number, text): (usize, &&str)| format!("- [ ] T{:03}{marks} {text}\n", number + 1);
    let lines: String = texts.iter().enumerate().map(line).collect();
    format!("# Tasks: Example\n\n## Phase 1: Work\n\n{lines}")
}
