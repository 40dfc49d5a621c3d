//! What everybody has, as the contract has it, in memory.
//!
//! A task is kept as the JSON that the service gives for it, and a call is worked out on its arguments as
//! they are sent. What only the service can know, a new id or the time of a change, is a hole until it is
//! seen in an answer.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use uuid::Uuid;

use crate::support::{Value, json};

/// Stands for an id that the service will choose.
const NEW_ID: &str = "a new id";
/// Stands, with the earliest that it can be, for an instant that the service will choose.
const AFTER: &str = "after ";

const SECTIONS: [&str; 5] = ["IN_SCOPE", "OUT_OF_SCOPE", "DELIVERABLE", "ACTION", "ACCEPTANCE"];
const PARTS: [&str; 3] = ["checklist", "risks", "files"];

/// A kind of thing that has an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Task,
    Item,
    Risk,
    File,
}

/// Where things are to be found.
#[derive(Clone, Copy, Debug)]
pub enum Shelf {
    Mine,
    MyTrash,
    /// The others' things, in their trash too.
    Theirs,
    /// What was removed, and what never was.
    Nowhere,
    /// What cannot be an id.
    Malformed,
}

/// Why a call comes to nothing.
#[derive(Debug)]
pub struct Refusal {
    pub code: &'static str,
    /// Stands in the error of a version that has passed.
    pub current_version: Value,
    /// Which of several items it is about.
    pub place: Option<usize>,
}

impl Refusal {
    fn new(code: &'static str) -> Self {
        Self { code, current_version: Value::Null, place: None }
    }
}

/// What a call that succeeds gives back, by the places of tasks.
#[derive(Debug)]
pub enum Effect {
    Task(usize),
    Tasks(Vec<usize>),
    /// Its name in the payload, its task, and where it is in that.
    Part(&'static str, usize, String),
    Removed(String, usize),
    Deleted(Value),
}

/// Everybody's tasks.
pub struct World {
    tasks: Vec<Value>,
    /// The ids of what was removed.
    gone: Vec<String>,
    /// The ids of tasks that lay in the trash for too long. They are gone for their owners; whether for
    /// others too depends on whether they have been purged.
    expired: HashSet<String>,
    /// Every id that was ever seen: no new one may be among them.
    known: HashSet<String>,
    now: String,
}

impl World {
    pub fn new(known: impl IntoIterator<Item = String>) -> Self {
        let gone = vec![String::from("00000000-0000-7000-8000-000000000000")];
        let known = known.into_iter().collect();
        Self { tasks: Vec::new(), gone, expired: HashSet::new(), known, now: String::new() }
    }

    /// Lets the time come; what has been in the trash for 30 days is gone.
    pub fn pass(&mut self, now: DateTime<Utc>) {
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

    /// Does what a mutation does for a user.
    pub fn run(&mut self, user: &str, mutation: &str, arguments: &Value) -> Result<Effect, Refusal> {
        let arguments = &left_out(mutation, arguments);
        if !is_sound(mutation, arguments) {
            return Err(Refusal::new("BAD_USER_INPUT"));
        }
        let before = self.tasks.clone();
        let effect = self.call(user, mutation, arguments);
        if effect.is_err() {
            self.tasks = before;
        }
        effect
    }

    fn call(&mut self, user: &str, mutation: &str, arguments: &Value) -> Result<Effect, Refusal> {
        let (id, input) = (&arguments["id"], clean(&arguments["input"]));
        match mutation {
            "createTask" => Ok(Effect::Task(self.create(user, &input)?)),
            "createTasks" => {
                let create = |(place, input)| {
                    let refusal = |refusal| Refusal { place: Some(place), ..refusal };
                    self.create(user, &clean(input)).map_err(refusal)
                };
                let made: Result<_, _> = items(&arguments["inputs"]).iter().enumerate().map(create).collect();
                made.map(Effect::Tasks)
            }
            "updateTask" | "replaceTask" | "completeTask" | "reopenTask" | "toggleTask" => {
                let at = self.live(user, id)?;
                let (version, expected) = (&self.tasks[at]["version"], &arguments["expectedVersion"]);
                if !expected.is_null() && expected != version {
                    return Err(Refusal { current_version: version.clone(), ..Refusal::new("CONFLICT") });
                }
                self.change(at, |task| edit(task, mutation, &input));
                Ok(Effect::Task(at))
            }
            "updateTasks" | "completeTasks" => {
                let all = self.all_live(user, &arguments["ids"])?;
                for at in &all {
                    self.change(*at, |task| edit(task, mutation.trim_end_matches('s'), &input));
                }
                Ok(Effect::Tasks(all))
            }
            "deleteTask" => {
                let at = self.live(user, id)?;
                self.delete(at);
                Ok(Effect::Deleted(json!({ "deletedTaskId": id })))
            }
            "deleteTasks" => {
                let all = self.all_live(user, &arguments["ids"])?;
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
                let at = self.live(user, &arguments["taskId"])?;
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
                // Among its siblings it is there already, whatever stands between them.
                let (list, index) = if before == id || before == next {
                    (list, index)
                } else {
                    self.insert(at, list, Some(index), item, before)?
                };
                Ok(Effect::Part("item", at, format!("{list}/{index}")))
            }
            "addRisk" | "addFileChange" => {
                let (list, name) = if mutation == "addRisk" { ("risks", "risk") } else { ("files", "file") };
                let at = self.live(user, &arguments["taskId"])?;
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
                self.gone.extend(items(&part["children"]).iter().chain([&part]).map(id_of));
                self.change(at, |task| {
                    list_mut(task, &list).remove(index);
                });
                Ok(Effect::Removed(id_of(&part), at))
            }
            other => panic!("{other} is no mutation of tasks"),
        }
    }

    fn create(&mut self, user: &str, input: &Value) -> Result<usize, Refusal> {
        let id = input.get("id").cloned().unwrap_or_else(|| json!(NEW_ID));
        if let Some(at) = self.tasks.iter().position(|task| task["id"] == id && id != NEW_ID) {
            let mine = self.tasks[at]["owner"]["id"] == user;
            return if mine { Ok(at) } else { Err(Refusal::new("CONFLICT")) };
        }
        let mut task = json!({ "id": id, "owner": { "id": user }, "createdAt": self.now, "deletedAt": null,
                               "completed": false, "completedAt": null, "version": 0 });
        replace(&mut task, input);
        self.stamp(&mut task);
        self.tasks.push(task);
        Ok(self.tasks.len() - 1)
    }

    fn delete(&mut self, at: usize) {
        let now = json!(self.now);
        self.change(at, |task| task["deletedAt"] = now);
    }

    /// Every change of a task or of anything in it; what changes nothing is none.
    fn change(&mut self, at: usize, edit: impl FnOnce(&mut Value)) {
        let mut task = self.tasks[at].clone();
        edit(&mut task);
        if task != self.tasks[at] {
            self.stamp(&mut task);
            self.tasks[at] = task;
        }
    }

    fn stamp(&self, task: &mut Value) {
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

    /// A task of the user's, in the trash or not.
    fn owned(&self, user: &str, id: &Value) -> Result<usize, Refusal> {
        let at = self.tasks.iter().position(|task| task["id"] == *id);
        self.mine(user, at.ok_or(Refusal::new("NOT_FOUND"))?)
    }

    fn mine(&self, user: &str, at: usize) -> Result<usize, Refusal> {
        let mine = self.tasks[at]["owner"]["id"] == user;
        if mine { Ok(at) } else { Err(Refusal::new("FORBIDDEN")) }
    }

    /// A task of the user's that is not in the trash.
    fn live(&self, user: &str, id: &Value) -> Result<usize, Refusal> {
        let at = self.owned(user, id)?;
        if is_live(&self.tasks[at]) { Ok(at) } else { Err(Refusal::new("NOT_FOUND")) }
    }

    /// Several of them, each once.
    fn all_live(&self, user: &str, ids: &Value) -> Result<Vec<usize>, Refusal> {
        let mut all = Vec::new();
        for (place, id) in items(ids).iter().enumerate() {
            let at = self.live(user, id).map_err(|refusal| Refusal { place: Some(place), ..refusal })?;
            if !all.contains(&at) {
                all.push(at);
            }
        }
        Ok(all)
    }

    /// A part of such a task: the task, the list that it is in, and its place there.
    fn part(&self, user: &str, id: &Value) -> Result<(usize, String, usize), Refusal> {
        let found = self.tasks.iter().enumerate().find_map(|(at, task)| Some((at, find(task, id)?)));
        let (at, (list, index)) = found.ok_or(Refusal::new("NOT_FOUND"))?;
        self.mine(user, at)?;
        if is_live(&self.tasks[at]) { Ok((at, list, index)) } else { Err(Refusal::new("NOT_FOUND")) }
    }

    /// The list that a new item goes to: the top level, or the children of an item that may have it.
    fn list_for(&self, at: usize, parent: &Value, input: &Value) -> Result<String, Refusal> {
        if parent.is_null() {
            return Ok(String::from("/checklist"));
        }
        let task = &self.tasks[at];
        let is_step = input["section"] == "ACTION";
        match find(task, parent) {
            Some((list, index))
                if is_step && list == "/checklist" && task["checklist"][index]["section"] == "ACTION" =>
            {
                Ok(format!("/checklist/{index}/children"))
            }
            _ => Err(Refusal::new("BAD_USER_INPUT")),
        }
    }

    /// Puts an item before a sibling or to the end, and takes it from where it was.
    fn insert(
        &mut self,
        at: usize,
        list: String,
        from: Option<usize>,
        item: Value,
        before: &Value,
    ) -> Result<(String, usize), Refusal> {
        let mut all = items(at_pointer(&self.tasks[at], &list)).to_vec();
        from.map(|index| all.remove(index));
        let section = |item: &Value| SECTIONS.iter().position(|section| item["section"] == *section);
        let index = if before.is_null() {
            all.iter().rposition(|each| section(each) <= section(&item)).map_or(0, |last| last + 1)
        } else {
            let sibling = all.iter().position(|each| each["id"] == *before);
            let sibling = sibling.filter(|index| section(&all[*index]) == section(&item));
            sibling.ok_or(Refusal::new("BAD_USER_INPUT"))?
        };
        all.insert(index, item);
        self.change(at, |task| *list_mut(task, &list) = all);
        Ok((list, index))
    }

    /// The payload of a call, with what could be learnt from the one that came.
    pub fn payload(&mut self, effect: &Effect, seen: &Value) -> Value {
        match effect {
            Effect::Deleted(payload) => payload.clone(),
            Effect::Task(at) => json!({ "task": self.learn(*at, &seen["task"]) }),
            Effect::Tasks(all) => {
                let learn = |(place, at): (usize, &usize)| self.learn(*at, &seen["tasks"][place]);
                json!({ "tasks": all.iter().enumerate().map(learn).collect::<Vec<_>>() })
            }
            Effect::Part(name, at, pointer) => {
                let task = self.learn(*at, &seen["task"]);
                json!({ *name: at_pointer(&task, pointer), "task": task })
            }
            Effect::Removed(id, at) => json!({ "removedId": id, "task": self.learn(*at, &seen["task"]) }),
        }
    }

    fn learn(&mut self, at: usize, seen: &Value) -> Value {
        fill(&mut self.tasks[at], seen, &mut self.known);
        self.tasks[at].clone()
    }

    /// All that a user sees of the tasks that are live, or in the trash, in the order of the list.
    pub fn list(&mut self, user: &str, trash: bool, seen: &Value) -> Value {
        let mine = |task: &Value| task["owner"]["id"] == user && is_live(task) != trash;
        let places: Vec<usize> = (0..self.tasks.len()).filter(|at| mine(&self.tasks[*at])).collect();
        let mut list: Vec<Value> = Vec::new();
        for at in places {
            let seen = items(&seen["nodes"]).iter().find(|seen| seen["id"] == self.tasks[at]["id"]);
            let mut task = self.learn(at, seen.unwrap_or(&Value::Null));
            let actions = items(&task["checklist"]).iter().filter(|item| item["section"] == "ACTION");
            task["actions"] = actions.map(|item| json!({ "id": item["id"] })).collect();
            list.push(task);
        }
        let newest = if trash { "deletedAt" } else { "createdAt" };
        list.sort_by_key(|task| std::cmp::Reverse([newest, "id"].map(|name| task[name].to_string())));
        json!({ "totalCount": list.len(), "nodes": list })
    }

    /// Some ids of everybody's, and the nodes that a user finds under them.
    pub fn nodes(&self, user: &str, at_most: usize) -> (Vec<String>, Vec<Value>) {
        let gone = self.gone.iter().map(|id| (id.clone(), Value::Null));
        let mut all: Vec<(String, Value)> = gone.collect();
        for (task, kind) in self.tasks.iter().flat_map(|task| Kind::ALL.map(|kind| (task, kind))) {
            let visible = task["owner"]["id"] == user && is_live(task);
            let node = |id: &String| json!({ "__typename": kind.type_name(), "id": id });
            all.extend(ids(task, kind).into_iter().map(|id| {
                let node = if visible { node(&id) } else { Value::Null };
                (id, node)
            }));
        }
        let step = all.len().div_ceil(at_most).max(1);
        all.into_iter().step_by(step).unzip()
    }

    /// The ids of the things of a kind on a shelf of a user's.
    pub fn ids(&self, user: &str, kind: Kind, shelf: Shelf) -> Vec<String> {
        let on_shelf = |task: &&Value| match (shelf, task["owner"]["id"] == user) {
            (Shelf::Mine, mine) => mine && is_live(task),
            (Shelf::MyTrash, mine) => mine && !is_live(task),
            (_, mine) => !mine,
        };
        match shelf {
            Shelf::Nowhere => self.gone.clone(),
            Shelf::Malformed => vec![String::from("no id")],
            _ => self.tasks.iter().filter(on_shelf).flat_map(|task| ids(task, kind)).collect(),
        }
    }

    /// The version of a task.
    pub fn version(&self, id: &Value) -> Option<i64> {
        self.tasks.iter().find(|task| task["id"] == *id)?["version"].as_i64()
    }

    /// The input that replaces a task with itself.
    pub fn again(&self, id: &Value) -> Option<Value> {
        let task = self.tasks.iter().find(|task| task["id"] == *id)?;
        let mut input = json!({ "title": task["title"] });
        fields(&defaults()).for_each(|(name, _)| input[name] = without_ids(&task[name]));
        Some(input)
    }

    /// Whether it was a task's that lay in the trash for too long.
    pub fn has_expired(&self, id: &str) -> bool {
        self.expired.contains(id)
    }

    /// The items that one could be put before, by the arguments that name where it is or goes.
    pub fn siblings(&self, arguments: &Value) -> Vec<String> {
        let place = self.tasks.iter().find_map(|task| {
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
        place.map(of_section).unwrap_or_default()
    }

    /// The items of a task that may hold others.
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

fn is_live(task: &Value) -> bool {
    task["deletedAt"].is_null()
}

/// The ids of the things of a kind in a task.
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
    thing["id"].as_str().expect("things have ids").to_owned()
}

/// The items of a list; what is none has none.
fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn fields(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn at_pointer<'a>(task: &'a Value, pointer: &str) -> &'a Value {
    task.pointer(pointer).expect("the model points to what is there")
}

fn list_mut<'a>(task: &'a mut Value, pointer: &str) -> &'a mut Vec<Value> {
    task.pointer_mut(pointer).and_then(Value::as_array_mut).expect("the model points to a list")
}

/// Where in a task a part is: the list, and the place in it.
fn find(task: &Value, id: &Value) -> Option<(String, usize)> {
    let top = PARTS.map(|list| format!("/{list}"));
    let nested = (0..items(&task["checklist"]).len()).map(|index| format!("/checklist/{index}/children"));
    top.into_iter().chain(nested).find_map(|list| {
        let index = items(at_pointer(task, &list)).iter().position(|part| part["id"] == *id)?;
        Some((list, index))
    })
}

/// Fills the holes with what was seen in their places, if it can be.
fn fill(mine: &mut Value, seen: &Value, known: &mut HashSet<String>) {
    match (mine, seen) {
        (Value::Array(mine), Value::Array(seen)) => {
            for (mine, seen) in mine.iter_mut().zip(seen) {
                fill(mine, seen, known);
            }
        }
        (Value::Object(mine), seen) => {
            for (name, mine) in mine {
                fill(mine, &seen[name], known);
            }
        }
        (Value::String(mine), Value::String(seen)) => {
            let new_id = mine == NEW_ID && seen.parse::<Uuid>().is_ok() && known.insert(seen.clone());
            if new_id || mine.strip_prefix(AFTER).is_some_and(|earliest| seen.as_str() >= earliest) {
                mine.clone_from(seen);
            }
        }
        _ => {}
    }
}

/// A change by one of the mutations that change a task itself.
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

/// What `completed` does to the status, where that is not given too.
fn complete(task: &mut Value, input: &Value) {
    if input.get("status").is_none() && input["completed"] != (task["status"] == "COMPLETED") {
        task["status"] = json!(if input["completed"] == true { "COMPLETED" } else { "PENDING" });
    }
}

/// What a task is when nothing but its title is given.
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
        // What is there already keeps its ids.
        if without_ids(&new[list]) == without_ids(&task[list]) {
            new[list] = task[list].clone();
        }
    }
    overlay(task, &new);
}

/// A new part of a task.
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

/// Sets the fields of an object that another one has.
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

/// Labels and more of them: the first spelling and the order of adding stay.
fn merged(labels: &[Value], more: &[Value]) -> Vec<Value> {
    more.iter().fold(labels.to_vec(), |mut labels, label| {
        if !labels.iter().any(|each| same_label(each, label)) {
            labels.push(label.clone());
        }
        labels
    })
}

/// Text without the white space around it.
fn clean(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text.trim()),
        Value::Array(list) => list.iter().map(clean).collect(),
        Value::Object(_) => fields(value).map(|(name, value)| (name.clone(), clean(value))).collect(),
        other => other.clone(),
    }
}

/// The arguments with null left out where that means the same: in every input but those of changes, for what is
/// nullable.
fn left_out(mutation: &str, arguments: &Value) -> Value {
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

/// Whether arguments keep all the rules that can be told without looking at what is there.
fn is_sound(mutation: &str, arguments: &Value) -> bool {
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
            .all(|name| arguments.get(name).is_none_or(|input| keeps_the_rules(nullable, name, input)))
}

fn keeps_the_rules(nullable: &[&str], name: &str, value: &Value) -> bool {
    match value {
        Value::Null => nullable.contains(&name),
        Value::String(text) => nullable.contains(&name) || !text.trim().is_empty(),
        Value::Array(list) => list.iter().all(|each| keeps_the_rules(nullable, name, each)),
        Value::Object(_) => {
            let nullable = if name == "risks" { &["mitigation"] } else { nullable };
            agrees(value) && fields(value).all(|(name, value)| keeps_the_rules(nullable, name, value))
        }
        _ => true,
    }
}

/// Whether the fields of an input go together.
fn agrees(input: &Value) -> bool {
    let given = |name| input.get(name).is_some();
    let list = |name| items(&input[name]);
    let children = list("children");
    let is_step = |item: &Value| item["section"] == "ACTION" && items(&item["children"]).is_empty();
    !(given("status") && given("completed") && input["completed"] != (input["status"] == "COMPLETED"))
        && !(given("labels") && (given("addLabels") || given("removeLabels")))
        && !list("addLabels")
            .iter()
            .any(|added| list("removeLabels").iter().any(|gone| same_label(added, gone)))
        && (children.is_empty() || input["section"] == "ACTION" && children.iter().all(is_step))
}
