//! A reference model of the tasks of all users, in memory.
//!
//! A task is stored as the JSON that the service returns for it, and a mutation is computed from its
//! arguments. Values that only the service can choose, new ids and times, are placeholders until a response
//! contains them.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use uuid::Uuid;

use crate::support::{Value, json};

/// The placeholder of an id that the service chooses.
const NEW_ID: &str = "a new id";
/// The prefix of the placeholder of a time; the earliest possible time follows.
const AFTER: &str = "after ";

const SECTIONS: [&str; 5] = ["IN_SCOPE", "OUT_OF_SCOPE", "DELIVERABLE", "ACTION", "ACCEPTANCE"];
const PARTS: [&str; 3] = ["checklist", "risks", "files"];

/// The kinds of objects that have an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Task,
    Item,
    Risk,
    File,
}

/// Where an object is, from the view of one user.
#[derive(Clone, Copy, Debug)]
pub enum Location {
    Mine,
    MyTrash,
    /// Objects of other users, including their trash.
    Theirs,
    /// Ids of removed objects, and one that never existed.
    Nonexistent,
    /// Text that is not an id.
    Malformed,
}

/// The expected error of a mutation.
#[derive(Debug)]
pub struct ExpectedError {
    pub code: &'static str,
    /// The current version, if the expected version is outdated; otherwise null.
    pub current_version: Value,
    /// The index of the input or id with the error, in a bulk mutation.
    pub index: Option<usize>,
}

impl ExpectedError {
    fn new(code: &'static str) -> Self {
        Self { code, current_version: Value::Null, index: None }
    }
}

/// The payload of a successful mutation, with tasks as indices into the model.
#[derive(Debug)]
pub enum Effect {
    Task(usize),
    Tasks(Vec<usize>),
    /// The name of the part in the payload, its task, and the JSON pointer to it in the task.
    Part(&'static str, usize, String),
    Removed(String, usize),
    Deleted(Value),
}

/// The tasks of all users.
pub struct ReferenceModel {
    tasks: Vec<Value>,
    /// The ids of removed objects.
    removed: Vec<String>,
    /// The ids of tasks whose retention in the trash has ended. Their owners cannot see them; the error for
    /// other users depends on whether they have been purged.
    expired: HashSet<String>,
    /// Every id seen so far; a new id must differ from all of them.
    seen_ids: HashSet<String>,
    now: String,
}

impl ReferenceModel {
    pub fn new(seen_ids: impl IntoIterator<Item = String>) -> Self {
        let removed = vec![String::from("00000000-0000-7000-8000-000000000000")];
        let seen_ids = seen_ids.into_iter().collect();
        Self { tasks: Vec::new(), removed, expired: HashSet::new(), seen_ids, now: String::new() }
    }

    /// Sets the time and removes tasks that have been in the trash for more than 30 days.
    pub fn advance_to(&mut self, now: DateTime<Utc>) {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        self.now = format!("{AFTER}{}", text(now));
        let oldest = text(now - TimeDelta::days(30));
        let expired = |task: &mut Value| {
            let deleted_at = task["deletedAt"].as_str();
            deleted_at.is_some_and(|at| at.trim_start_matches(AFTER) < oldest.as_str())
        };
        for task in self.tasks.extract_if(.., expired) {
            self.expired.extend(Kind::ALL.iter().flat_map(|kind| ids(&task, *kind)));
        }
    }

    /// Executes a mutation of a user.
    pub fn execute(
        &mut self,
        user: &str,
        mutation: &str,
        arguments: &Value,
    ) -> Result<Effect, ExpectedError> {
        let arguments = &without_optional_nulls(mutation, arguments);
        if !is_valid(mutation, arguments) {
            return Err(ExpectedError::new("BAD_USER_INPUT"));
        }
        let before = self.tasks.clone();
        let effect = self.call(user, mutation, arguments);
        if effect.is_err() {
            self.tasks = before;
        }
        effect
    }

    fn call(&mut self, user: &str, mutation: &str, arguments: &Value) -> Result<Effect, ExpectedError> {
        let (id, input) = (&arguments["id"], trimmed(&arguments["input"]));
        match mutation {
            "createTask" => Ok(Effect::Task(self.create(user, &input)?)),
            "createTasks" => {
                let create = |(index, input)| {
                    let error = |error| ExpectedError { index: Some(index), ..error };
                    self.create(user, &trimmed(input)).map_err(error)
                };
                let made: Result<_, _> = items(&arguments["inputs"]).iter().enumerate().map(create).collect();
                made.map(Effect::Tasks)
            }
            "updateTask" | "replaceTask" | "completeTask" | "reopenTask" | "toggleTask" => {
                let at = self.active(user, id)?;
                let (version, expected) = (&self.tasks[at]["version"], &arguments["expectedVersion"]);
                if !expected.is_null() && expected != version {
                    return Err(ExpectedError {
                        current_version: version.clone(),
                        ..ExpectedError::new("CONFLICT")
                    });
                }
                self.change(at, |task| edit(task, mutation, &input));
                Ok(Effect::Task(at))
            }
            "updateTasks" | "completeTasks" => {
                let all = self.all_active(user, &arguments["ids"])?;
                for at in &all {
                    self.change(*at, |task| edit(task, mutation.trim_end_matches('s'), &input));
                }
                Ok(Effect::Tasks(all))
            }
            "deleteTask" => {
                let at = self.active(user, id)?;
                self.delete(at);
                Ok(Effect::Deleted(json!({ "deletedTaskId": id })))
            }
            "deleteTasks" => {
                let all = self.all_active(user, &arguments["ids"])?;
                let deleted: Vec<Value> = all.iter().map(|at| self.tasks[*at]["id"].clone()).collect();
                all.into_iter().for_each(|at| self.delete(at));
                Ok(Effect::Deleted(json!({ "deletedTaskIds": deleted })))
            }
            "restoreTask" => {
                let at = self.owned(user, id)?;
                self.change(at, |task| task["deletedAt"] = Value::Null);
                Ok(Effect::Task(at))
            }
            "addChecklistItem" => {
                let at = self.active(user, &arguments["taskId"])?;
                let list = self.list_for(at, &arguments["parentId"], &input)?;
                let item = part("checklist", &input);
                let (list, index) = self.insert(at, list, None, item, &arguments["before"])?;
                Ok(Effect::Part("item", at, format!("{list}/{index}")))
            }
            "moveChecklistItem" => {
                let (at, list, index) = self.part(user, id)?;
                let before = &arguments["before"];
                let all = items(at_pointer(&self.tasks[at], &list));
                let item = all[index].clone();
                let mut later = all[index + 1..].iter().filter(|each| each["section"] == item["section"]);
                let next = later.next().map_or(&Value::Null, |sibling| &sibling["id"]);
                // The item already has this position among its siblings.
                let (list, index) = if before == id || before == next {
                    (list, index)
                } else {
                    self.insert(at, list, Some(index), item, before)?
                };
                Ok(Effect::Part("item", at, format!("{list}/{index}")))
            }
            "addRisk" | "addFileChange" => {
                let (list, name) = if mutation == "addRisk" { ("risks", "risk") } else { ("files", "file") };
                let at = self.active(user, &arguments["taskId"])?;
                let index = items(&self.tasks[at][list]).len();
                self.change(at, |task| list_mut(task, &format!("/{list}")).push(part(list, &input)));
                Ok(Effect::Part(name, at, format!("/{list}/{index}")))
            }
            "updateChecklistItem" | "updateRisk" => {
                let (at, list, index) = self.part(user, id)?;
                self.change(at, |task| overlay(&mut list_mut(task, &list)[index], &input));
                let name = if mutation == "updateRisk" { "risk" } else { "item" };
                Ok(Effect::Part(name, at, format!("{list}/{index}")))
            }
            "removeChecklistItem" | "removeRisk" | "removeFileChange" => {
                let (at, list, index) = self.part(user, id)?;
                let part = at_pointer(&self.tasks[at], &list)[index].clone();
                self.removed.extend(items(&part["children"]).iter().chain([&part]).map(id_of));
                self.change(at, |task| {
                    list_mut(task, &list).remove(index);
                });
                Ok(Effect::Removed(id_of(&part), at))
            }
            other => panic!("{other} is not a mutation of tasks"),
        }
    }

    fn create(&mut self, user: &str, input: &Value) -> Result<usize, ExpectedError> {
        let id = input.get("id").cloned().unwrap_or_else(|| json!(NEW_ID));
        if let Some(at) = self.tasks.iter().position(|task| task["id"] == id && id != NEW_ID) {
            let owned_by_user = self.tasks[at]["owner"]["id"] == user;
            return if owned_by_user { Ok(at) } else { Err(ExpectedError::new("CONFLICT")) };
        }
        let mut task = json!({ "id": id, "owner": { "id": user }, "createdAt": self.now, "deletedAt": null,
                               "completed": false, "completedAt": null, "version": 0 });
        replace(&mut task, input);
        self.update_derived_fields(&mut task);
        self.tasks.push(task);
        Ok(self.tasks.len() - 1)
    }

    fn delete(&mut self, at: usize) {
        let now = json!(self.now);
        self.change(at, |task| task["deletedAt"] = now);
    }

    /// Changes a task. A change without effect leaves the version as it is.
    fn change(&mut self, at: usize, edit: impl FnOnce(&mut Value)) {
        let mut task = self.tasks[at].clone();
        edit(&mut task);
        if task != self.tasks[at] {
            self.update_derived_fields(&mut task);
            self.tasks[at] = task;
        }
    }

    fn update_derived_fields(&self, task: &mut Value) {
        task["version"] = json!(task["version"].as_i64().map(|version| version + 1));
        task["updatedAt"] = json!(self.now);
        let completed = task["status"] == "COMPLETED";
        if task["completed"] != completed {
            task["completed"] = json!(completed);
            task["completedAt"] = if completed { json!(self.now) } else { Value::Null };
        }
        let all =
            items(&task["checklist"]).iter().flat_map(|item| items(&item["children"]).iter().chain([item]));
        let counted: Vec<_> = all.filter(|item| item["section"] != "OUT_OF_SCOPE").collect();
        let (done, total) = (counted.iter().filter(|item| item["done"] == true).count(), counted.len());
        let percent = (done * 100).checked_div(total).unwrap_or(0);
        task["progress"] = json!({ "done": done, "total": total, "percent": percent });
    }

    /// The index of a task of the user, active or in the trash.
    fn owned(&self, user: &str, id: &Value) -> Result<usize, ExpectedError> {
        let at = self.tasks.iter().position(|task| task["id"] == *id);
        self.owned_by_user(user, at.ok_or(ExpectedError::new("NOT_FOUND"))?)
    }

    fn owned_by_user(&self, user: &str, at: usize) -> Result<usize, ExpectedError> {
        let owned_by_user = self.tasks[at]["owner"]["id"] == user;
        if owned_by_user { Ok(at) } else { Err(ExpectedError::new("FORBIDDEN")) }
    }

    /// The index of an active task of the user.
    fn active(&self, user: &str, id: &Value) -> Result<usize, ExpectedError> {
        let at = self.owned(user, id)?;
        if is_active(&self.tasks[at]) { Ok(at) } else { Err(ExpectedError::new("NOT_FOUND")) }
    }

    /// The indices of several active tasks, without duplicates.
    fn all_active(&self, user: &str, ids: &Value) -> Result<Vec<usize>, ExpectedError> {
        let mut all = Vec::new();
        for (index, id) in items(ids).iter().enumerate() {
            let at = self.active(user, id).map_err(|error| ExpectedError { index: Some(index), ..error })?;
            if !all.contains(&at) {
                all.push(at);
            }
        }
        Ok(all)
    }

    /// A part of an active task of the user: the index of the task, the pointer to the list, and the index in
    /// the list.
    fn part(&self, user: &str, id: &Value) -> Result<(usize, String, usize), ExpectedError> {
        let found = self.tasks.iter().enumerate().find_map(|(at, task)| Some((at, find(task, id)?)));
        let (at, (list, index)) = found.ok_or(ExpectedError::new("NOT_FOUND"))?;
        self.owned_by_user(user, at)?;
        if is_active(&self.tasks[at]) { Ok((at, list, index)) } else { Err(ExpectedError::new("NOT_FOUND")) }
    }

    /// The list for a new item: the top level, or the children of an item that may have children.
    fn list_for(&self, at: usize, parent: &Value, input: &Value) -> Result<String, ExpectedError> {
        if parent.is_null() {
            return Ok(String::from("/checklist"));
        }
        let task = &self.tasks[at];
        let can_be_child = input["section"] == "ACTION";
        match find(task, parent) {
            Some((list, index))
                if can_be_child
                    && list == "/checklist"
                    && task["checklist"][index]["section"] == "ACTION" =>
            {
                Ok(format!("/checklist/{index}/children"))
            }
            _ => Err(ExpectedError::new("BAD_USER_INPUT")),
        }
    }

    /// Inserts an item before a sibling or at the end, and removes it from its previous position.
    fn insert(
        &mut self,
        at: usize,
        list: String,
        from: Option<usize>,
        item: Value,
        before: &Value,
    ) -> Result<(String, usize), ExpectedError> {
        let mut all = items(at_pointer(&self.tasks[at], &list)).to_vec();
        from.map(|index| all.remove(index));
        let section = |item: &Value| SECTIONS.iter().position(|section| item["section"] == *section);
        let index = if before.is_null() {
            all.iter().rposition(|each| section(each) <= section(&item)).map_or(0, |last| last + 1)
        } else {
            let sibling = all.iter().position(|each| each["id"] == *before);
            let sibling = sibling.filter(|index| section(&all[*index]) == section(&item));
            sibling.ok_or(ExpectedError::new("BAD_USER_INPUT"))?
        };
        all.insert(index, item);
        self.change(at, |task| *list_mut(task, &list) = all);
        Ok((list, index))
    }

    /// The expected payload of a mutation, with placeholders filled from the actual payload.
    pub fn payload(&mut self, effect: &Effect, seen: &Value) -> Value {
        match effect {
            Effect::Deleted(payload) => payload.clone(),
            Effect::Task(at) => json!({ "task": self.fill_from(*at, &seen["task"]) }),
            Effect::Tasks(all) => {
                let fill_from = |(index, at): (usize, &usize)| self.fill_from(*at, &seen["tasks"][index]);
                json!({ "tasks": all.iter().enumerate().map(fill_from).collect::<Vec<_>>() })
            }
            Effect::Part(name, at, pointer) => {
                let task = self.fill_from(*at, &seen["task"]);
                json!({ *name: at_pointer(&task, pointer), "task": task })
            }
            Effect::Removed(id, at) => json!({ "removedId": id, "task": self.fill_from(*at, &seen["task"]) }),
        }
    }

    fn fill_from(&mut self, at: usize, seen: &Value) -> Value {
        fill_placeholders(&mut self.tasks[at], seen, &mut self.seen_ids);
        self.tasks[at].clone()
    }

    /// The expected list of the active tasks of a user, or of the trash.
    pub fn list(&mut self, user: &str, trash: bool, seen: &Value) -> Value {
        let owned_by_user = |task: &Value| task["owner"]["id"] == user && is_active(task) != trash;
        let places: Vec<usize> = (0..self.tasks.len()).filter(|at| owned_by_user(&self.tasks[*at])).collect();
        let mut list: Vec<Value> = Vec::new();
        for at in places {
            let seen = items(&seen["nodes"]).iter().find(|seen| seen["id"] == self.tasks[at]["id"]);
            let mut task = self.fill_from(at, seen.unwrap_or(&Value::Null));
            let actions = items(&task["checklist"]).iter().filter(|item| item["section"] == "ACTION");
            task["actions"] = actions.map(|item| json!({ "id": item["id"] })).collect();
            list.push(task);
        }
        let newest = if trash { "deletedAt" } else { "createdAt" };
        list.sort_by_key(|task| std::cmp::Reverse([newest, "id"].map(|name| task[name].to_string())));
        json!({ "totalCount": list.len(), "nodes": list })
    }

    /// A selection of ids of all users, and the nodes that a user gets for them.
    pub fn nodes(&self, user: &str, at_most: usize) -> (Vec<String>, Vec<Value>) {
        let removed = self.removed.iter().map(|id| (id.clone(), Value::Null));
        let mut all: Vec<(String, Value)> = removed.collect();
        for (task, kind) in self.tasks.iter().flat_map(|task| Kind::ALL.map(|kind| (task, kind))) {
            let visible = task["owner"]["id"] == user && is_active(task);
            let node = |id: &String| json!({ "__typename": kind.type_name(), "id": id });
            all.extend(ids(task, kind).into_iter().map(|id| {
                let node = if visible { node(&id) } else { Value::Null };
                (id, node)
            }));
        }
        let step = all.len().div_ceil(at_most).max(1);
        all.into_iter().step_by(step).unzip()
    }

    /// The ids of the objects of a kind at a location.
    pub fn ids(&self, user: &str, kind: Kind, location: Location) -> Vec<String> {
        let is_at_location = |task: &&Value| match (location, task["owner"]["id"] == user) {
            (Location::Mine, owned_by_user) => owned_by_user && is_active(task),
            (Location::MyTrash, owned_by_user) => owned_by_user && !is_active(task),
            (_, owned_by_user) => !owned_by_user,
        };
        match location {
            Location::Nonexistent => self.removed.clone(),
            Location::Malformed => vec![String::from("no id")],
            _ => self.tasks.iter().filter(is_at_location).flat_map(|task| ids(task, kind)).collect(),
        }
    }

    /// The version of a task.
    pub fn version(&self, id: &Value) -> Option<i64> {
        self.tasks.iter().find(|task| task["id"] == *id)?["version"].as_i64()
    }

    /// The input that replaces a task with itself.
    pub fn input_of(&self, id: &Value) -> Option<Value> {
        let task = self.tasks.iter().find(|task| task["id"] == *id)?;
        let mut input = json!({ "title": task["title"] });
        fields(&defaults()).for_each(|(name, _)| input[name] = without_ids(&task[name]));
        Some(input)
    }

    /// Whether the id belonged to a task whose retention in the trash has ended.
    pub fn is_expired(&self, id: &str) -> bool {
        self.expired.contains(id)
    }

    /// The items before which an item may be moved or added, according to the arguments.
    pub fn siblings(&self, arguments: &Value) -> Vec<String> {
        let index = self.tasks.iter().find_map(|task| {
            if let Some((list, index)) = find(task, &arguments["id"]) {
                let list = at_pointer(task, &list);
                return Some((list, &list[index]["section"]));
            }
            let list = match find(task, &arguments["parentId"]) {
                Some((list, index)) => &at_pointer(task, &list)[index]["children"],
                None => &task["checklist"],
            };
            (task["id"] == arguments["taskId"]).then_some((list, &arguments["input"]["section"]))
        });
        let of_section = |(list, section): (&'_ Value, &Value)| {
            items(list).iter().filter(|item| item["section"] == *section).map(id_of).collect()
        };
        index.map(of_section).unwrap_or_default()
    }

    /// The items of a task that may have children.
    pub fn parents(&self, task: &Value) -> Vec<String> {
        let task = self.tasks.iter().filter(|each| each["id"] == *task);
        let items = task.flat_map(|task| items(&task["checklist"]));
        items.filter(|item| item["section"] == "ACTION").map(id_of).collect()
    }
}

impl Kind {
    const ALL: [Self; 4] = [Self::Task, Self::Item, Self::Risk, Self::File];

    fn type_name(self) -> &'static str {
        ["Task", "ChecklistItem", "Risk", "FileChange"][self as usize]
    }
}

fn is_active(task: &Value) -> bool {
    task["deletedAt"].is_null()
}

/// The ids of the objects of a kind in a task.
fn ids(task: &Value, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Task => vec![id_of(task)],
        Kind::Item => {
            let top = items(&task["checklist"]).iter();
            top.flat_map(|item| items(&item["children"]).iter().chain([item])).map(id_of).collect()
        }
        Kind::Risk => items(&task["risks"]).iter().map(id_of).collect(),
        Kind::File => items(&task["files"]).iter().map(id_of).collect(),
    }
}

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().expect("objects have ids").to_owned()
}

/// The items of a list; empty for any other value.
fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn fields(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn at_pointer<'a>(task: &'a Value, pointer: &str) -> &'a Value {
    task.pointer(pointer).expect("the pointer is valid")
}

fn list_mut<'a>(task: &'a mut Value, pointer: &str) -> &'a mut Vec<Value> {
    task.pointer_mut(pointer).and_then(Value::as_array_mut).expect("the pointer refers to a list")
}

/// Finds a part in a task: the pointer to the list and the index in it.
fn find(task: &Value, id: &Value) -> Option<(String, usize)> {
    let top = PARTS.map(|list| format!("/{list}"));
    let nested = (0..items(&task["checklist"]).len()).map(|index| format!("/checklist/{index}/children"));
    top.into_iter().chain(nested).find_map(|list| {
        let index = items(at_pointer(task, &list)).iter().position(|part| part["id"] == *id)?;
        Some((list, index))
    })
}

/// Replaces placeholders by the values of the response, if these are possible.
fn fill_placeholders(owned_by_user: &mut Value, seen: &Value, seen_ids: &mut HashSet<String>) {
    match (owned_by_user, seen) {
        (Value::Array(owned_by_user), Value::Array(seen)) => {
            for (owned_by_user, seen) in owned_by_user.iter_mut().zip(seen) {
                fill_placeholders(owned_by_user, seen, seen_ids);
            }
        }
        (Value::Object(owned_by_user), seen) => {
            for (name, owned_by_user) in owned_by_user {
                fill_placeholders(owned_by_user, &seen[name], seen_ids);
            }
        }
        (Value::String(owned_by_user), Value::String(seen)) => {
            let new_id =
                owned_by_user == NEW_ID && seen.parse::<Uuid>().is_ok() && seen_ids.insert(seen.clone());
            if new_id || owned_by_user.strip_prefix(AFTER).is_some_and(|earliest| seen.as_str() >= earliest) {
                owned_by_user.clone_from(seen);
            }
        }
        _ => {}
    }
}

/// Applies one of the mutations that change the task itself.
fn edit(task: &mut Value, mutation: &str, input: &Value) {
    match mutation {
        "replaceTask" => replace(task, input),
        "completeTask" => update(task, &json!({ "completed": true })),
        "reopenTask" => update(task, &json!({ "completed": false })),
        "toggleTask" => update(task, &json!({ "completed": task["completed"] == false })),
        _ => update(task, input),
    }
}

fn update(task: &mut Value, input: &Value) {
    for (name, value) in fields(input) {
        match name.as_str() {
            "labels" | "addLabels" | "removeLabels" => {}
            "completed" => complete(task, input),
            _ => task[name] = value.clone(),
        }
    }
    let whole = input.get("labels").map(|labels| merged(&[], items(labels)));
    let mut labels = whole.unwrap_or_else(|| items(&task["labels"]).to_vec());
    labels.retain(|label| !items(&input["removeLabels"]).iter().any(|each| same_label(each, label)));
    task["labels"] = merged(&labels, items(&input["addLabels"])).into();
}

/// Applies `completed` to the status, if the status is not given.
fn complete(task: &mut Value, input: &Value) {
    if input.get("status").is_none() && input["completed"] != (task["status"] == "COMPLETED") {
        task["status"] = json!(if input["completed"] == true { "COMPLETED" } else { "PENDING" });
    }
}

/// The fields of a task that is created with a title only.
fn defaults() -> Value {
    json!({ "description": null, "status": "PENDING", "priority": "MEDIUM", "labels": [], "dueAt": null,
            "date": null, "ownerLabel": null, "objective": null, "rationale": null, "checklist": [],
            "risks": [], "files": [] })
}

fn replace(task: &mut Value, input: &Value) {
    let mut new = defaults();
    for (name, value) in fields(input).filter(|(name, _)| !["id", "completed"].contains(&name.as_str())) {
        new[name] = value.clone();
    }
    if input.get("completed").is_some() {
        complete(&mut new, input);
    }
    new["labels"] = merged(&[], items(&new["labels"])).into();
    for list in PARTS {
        new[list] = items(&new[list]).iter().map(|input| part(list, input)).collect();
        // A list with the same content keeps its ids.
        if without_ids(&new[list]) == without_ids(&task[list]) {
            new[list] = task[list].clone();
        }
    }
    overlay(task, &new);
}

/// A new part of a task, with a placeholder as its id.
fn part(list: &str, input: &Value) -> Value {
    let mut part = match list {
        "checklist" => json!({ "id": NEW_ID, "done": false, "children": [] }),
        "risks" => json!({ "id": NEW_ID, "mitigation": null }),
        _ => json!({ "id": NEW_ID }),
    };
    overlay(&mut part, input);
    if list == "checklist" {
        part["children"] = items(&part["children"]).iter().map(|child| self::part(list, child)).collect();
    }
    part
}

/// Overwrites fields of an object with those of another one.
pub fn overlay(object: &mut Value, more: &Value) {
    for (name, value) in fields(more) {
        object[name] = value.clone();
    }
}

fn without_ids(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(without_ids).collect(),
        Value::Object(_) => {
            let kept = fields(value).filter(|(name, _)| *name != "id");
            kept.map(|(name, value)| (name.clone(), without_ids(value))).collect()
        }
        other => other.clone(),
    }
}

fn same_label(a: &Value, b: &Value) -> bool {
    let lower = |label: &Value| label.as_str().map(|label| label.trim().to_lowercase());
    lower(a) == lower(b)
}

/// Adds labels; the first spelling and the order are kept.
fn merged(labels: &[Value], more: &[Value]) -> Vec<Value> {
    more.iter().fold(labels.to_vec(), |mut labels, label| {
        if !labels.iter().any(|each| same_label(each, label)) {
            labels.push(label.clone());
        }
        labels
    })
}

/// Trims all texts in a value.
fn trimmed(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.trim()),
        Value::Array(list) => list.iter().map(trimmed).collect(),
        Value::Object(_) => fields(value).map(|(name, value)| (name.clone(), trimmed(value))).collect(),
        other => other.clone(),
    }
}

/// Removes nulls of optional fields from the inputs in which null means the same as absent: all except those
/// of updates.
fn without_optional_nulls(mutation: &str, arguments: &Value) -> Value {
    const REQUIRED: [&str; 8] = ["title", "section", "text", "done", "path", "kind", "likelihood", "impact"];
    fn without_nulls(value: &Value, is_risk: bool) -> Value {
        match value {
            Value::Array(list) => list.iter().map(|each| without_nulls(each, is_risk)).collect(),
            Value::Object(_) => {
                let is_required = |name: &str| REQUIRED.contains(&name) || is_risk && name == "description";
                let kept = fields(value).filter(|(name, value)| !value.is_null() || is_required(name));
                kept.map(|(name, value)| (name.clone(), without_nulls(value, is_risk || name == "risks")))
                    .collect()
            }
            other => other.clone(),
        }
    }
    let is_change = ["updateTask", "updateTasks", "updateChecklistItem", "updateRisk"].contains(&mutation);
    if is_change { arguments.clone() } else { without_nulls(arguments, mutation == "addRisk") }
}

/// Whether the arguments satisfy all rules that do not depend on stored data.
fn is_valid(mutation: &str, arguments: &Value) -> bool {
    let nullable: &[&str] = if mutation.contains("Risk") {
        &["mitigation"]
    } else {
        &["description", "dueAt", "date", "ownerLabel", "objective", "rationale", "mitigation"]
    };
    let is_id = |id: &Value| id.as_str().is_none_or(|id| id.parse::<Uuid>().is_ok());
    let ids = ["id", "taskId", "parentId", "before"].map(|name| &arguments[name]);
    let in_bounds = |name| arguments.get(name).is_none_or(|list| (1..=100).contains(&items(list).len()));
    let nested_twice = !arguments["parentId"].is_null() && !items(&arguments["input"]["children"]).is_empty();
    !nested_twice
        && ids.into_iter().chain(items(&arguments["ids"])).all(is_id)
        && ["ids", "inputs"].into_iter().all(in_bounds)
        && ["input", "inputs"]
            .into_iter()
            .all(|name| arguments.get(name).is_none_or(|input| values_are_valid(nullable, name, input)))
}

fn values_are_valid(nullable: &[&str], name: &str, value: &Value) -> bool {
    match value {
        Value::Null => nullable.contains(&name),
        Value::String(text) => nullable.contains(&name) || !text.trim().is_empty(),
        Value::Array(list) => list.iter().all(|each| values_are_valid(nullable, name, each)),
        Value::Object(_) => {
            let nullable = if name == "risks" { &["mitigation"] } else { nullable };
            fields_are_compatible(value)
                && fields(value).all(|(name, value)| values_are_valid(nullable, name, value))
        }
        _ => true,
    }
}

/// Whether the fields of an input may be combined.
fn fields_are_compatible(input: &Value) -> bool {
    let given = |name| input.get(name).is_some();
    let list = |name| items(&input[name]);
    let children = list("children");
    let can_be_child = |item: &Value| item["section"] == "ACTION" && items(&item["children"]).is_empty();
    !(given("status") && given("completed") && input["completed"] != (input["status"] == "COMPLETED"))
        && !(given("labels") && (given("addLabels") || given("removeLabels")))
        && !list("addLabels")
            .iter()
            .any(|added| list("removeLabels").iter().any(|removed| same_label(added, removed)))
        && (children.is_empty() || input["section"] == "ACTION" && children.iter().all(can_be_child))
}
