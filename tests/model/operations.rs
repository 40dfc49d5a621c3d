//! Random operations on tasks, most of them valid.
//!
//! An operation refers to its target by location and index instead of by id, so that it stays meaningful when
//! shrinking removes other operations.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;
use uuid::Uuid;

use super::reference_model::{Kind, Location, ReferenceModel, overlay};
use crate::support::{Value, json, object};

/// The number of ids that clients choose from.
const CLIENT_ID_COUNT: usize = 6;

const TEXTS: [&str; 4] = ["one", "two", " two ", "É"];
/// Some differ only in case or white space.
const LABELS: [&str; 7] = ["bug", "Bug", " BUG ", "éclair", "ÉCLAIR", "ops", "Ops"];
const INSTANTS: [&str; 2] = ["2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.001Z"];
const DATES: [&str; 2] = ["2026-11-21", "2028-02-29"];
const STATUSES: [&str; 4] = ["PENDING", "IN_PROGRESS", "BLOCKED", "COMPLETED"];
const PRIORITIES: [&str; 4] = ["LOW", "MEDIUM", "HIGH", "CRITICAL"];
/// Most are ACTION, because only those may have children.
const SECTIONS: [&str; 8] =
    ["ACTION", "IN_SCOPE", "ACTION", "OUT_OF_SCOPE", "ACTION", "DELIVERABLE", "ACTION", "ACCEPTANCE"];
const LEVELS: [&str; 3] = ["LOW", "MEDIUM", "HIGH"];
const KINDS: [&str; 3] = ["CREATED", "MODIFIED", "DELETED"];

/// Milliseconds; the last is longer than the retention of the trash.
const WAITS: [i64; 3] = [60_000, 20 * DAY, 31 * DAY];
const DAY: i64 = 86_400_000;

/// A mutation sent by one of three users, with the time in milliseconds since the previous one.
#[derive(Clone, Debug)]
pub struct Operation {
    pub user: usize,
    pub wait: i64,
    pub mutation: &'static str,
    arguments: Vec<(&'static str, Argument)>,
}

#[derive(Clone, Debug)]
enum Argument {
    Absent,
    Given(Value),
    Id(Thing),
    Ids(Vec<Thing>),
    /// An id, omitted if the model has no matching object.
    ServerEnv(Thing),
    /// The current content of the task, overwritten by these fields.
    ReplaceWithSame(Value),
    Task(NewTask),
    Tasks(Vec<NewTask>),
    /// The current version of the task minus this offset.
    Version(i64),
}

/// The client-chosen id and the other fields.
type NewTask = (Option<Thing>, Value);

/// A reference to an object by location and index.
#[derive(Clone, Debug)]
enum Thing {
    On(Kind, Location, Index),
    ClientId(usize),
    Sibling(Index),
    Parent(Index),
}

impl Operation {
    /// The arguments to send; `None` if the model has no matching target.
    pub fn arguments(&self, model: &ReferenceModel, user: &str, case: u128) -> Option<Value> {
        let mut arguments = json!({});
        for (name, argument) in &self.arguments {
            let id = |thing: &Thing| thing.id(model, user, case, &arguments);
            let task = |(client_ids, input): &NewTask| {
                let mut input = input.clone();
                if let Some(client_ids) = client_ids {
                    input["id"] = id(client_ids)?.into();
                }
                Some(input)
            };
            let value = match argument {
                Argument::Absent => continue,
                Argument::Given(value) => value.clone(),
                Argument::Id(thing) => id(thing)?.into(),
                Argument::Ids(things) => things.iter().map(id).collect::<Option<_>>()?,
                Argument::ServerEnv(thing) => match id(thing) {
                    Some(id) => id.into(),
                    None => continue,
                },
                Argument::ReplaceWithSame(but) => {
                    let mut input = model.input_of(&arguments["id"]).unwrap_or(json!({ "title": "one" }));
                    overlay(&mut input, but);
                    input
                }
                Argument::Task(new) => task(new)?,
                Argument::Tasks(all) => all.iter().map(task).collect::<Option<_>>()?,
                Argument::Version(offset) => json!(model.version(&arguments["id"])? - offset),
            };
            arguments[*name] = value;
        }
        Some(arguments)
    }
}

impl Thing {
    fn id(&self, model: &ReferenceModel, user: &str, case: u128, arguments: &Value) -> Option<String> {
        let (ids, index) = match self {
            Self::ClientId(number) => {
                let id = client_ids(case)[*number].clone();
                return (!model.is_expired(&id)).then_some(id);
            }
            Self::On(kind, location, index) => (model.ids(user, *kind, *location), index),
            Self::Sibling(index) => (model.siblings(arguments), index),
            Self::Parent(index) => (model.parents(&arguments["taskId"]), index),
        };
        (!ids.is_empty()).then(|| index.get(&ids).clone())
    }
}

/// The ids that clients choose from in a test case.
pub fn client_ids(case: u128) -> Vec<String> {
    (0..CLIENT_ID_COUNT as u128)
        .map(|number| Uuid::from_u128((case + 1) << 64 | number).to_string())
        .collect()
}

/// Any operation.
pub fn operation() -> impl Strategy<Value = Operation> {
    let call = Union::new_weighted(vec![
        call(10, "createTask", vec![("input", new_task().prop_map(Argument::Task).boxed())]),
        call(3, "createTasks", vec![("inputs", vec(new_task(), 0..=3).prop_map(Argument::Tasks).boxed())]),
        call(12, "updateTask", vec![id(Kind::Task), ("input", given(update())), version()]),
        call(3, "replaceTask", vec![id(Kind::Task), ("input", given(full_input(true))), version()]),
        call(5, "replaceTask", vec![id(Kind::Task), ("input", nearly_identical()), version()]),
        call(3, "completeTask", vec![id(Kind::Task)]),
        call(3, "reopenTask", vec![id(Kind::Task)]),
        call(3, "toggleTask", vec![id(Kind::Task), version()]),
        call(3, "deleteTask", vec![id(Kind::Task)]),
        call(3, "restoreTask", vec![("id", in_trash().prop_map(Argument::Id).boxed())]),
        call(3, "updateTasks", vec![ids(), ("input", given(update()))]),
        call(2, "completeTasks", vec![ids()]),
        call(2, "deleteTasks", vec![ids()]),
        call(10, "addChecklistItem", vec![task_id(), ("input", given(item())), parent(), before()]),
        call(6, "updateChecklistItem", vec![id(Kind::Item), ("input", given(part(0.5, item_fields())))]),
        call(9, "moveChecklistItem", vec![id(Kind::Item), before()]),
        call(4, "removeChecklistItem", vec![id(Kind::Item)]),
        call(4, "addRisk", vec![task_id(), ("input", given(part(1.0, risk())))]),
        call(4, "updateRisk", vec![id(Kind::Risk), ("input", given(part(0.5, risk())))]),
        call(2, "removeRisk", vec![id(Kind::Risk)]),
        call(4, "addFileChange", vec![task_id(), ("input", given(part(1.0, file())))]),
        call(2, "removeFileChange", vec![id(Kind::File)]),
    ]);
    let user = prop_oneof![3 => Just(0), 2 => Just(1), 1 => Just(2_usize)];
    let wait = prop_oneof![40 => Just(1), 1 => select(&WAITS[..])];
    (user, wait, call).prop_map(|(user, wait, (mutation, arguments))| Operation {
        user,
        wait,
        mutation,
        arguments,
    })
}

type Call = (&'static str, Vec<(&'static str, Argument)>);
type Named = (&'static str, BoxedStrategy<Argument>);

fn call(weight: u32, mutation: &'static str, arguments: Vec<Named>) -> (u32, BoxedStrategy<Call>) {
    let arguments: Vec<_> = arguments.into_iter().map(|(name, value)| (Just(name), value)).collect();
    (weight, (Just(mutation), arguments).boxed())
}

fn given(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Argument> {
    value.prop_map(Argument::Given).boxed()
}

fn maybe<T: std::fmt::Debug + 'static>(
    chance: f64,
    value: impl Strategy<Value = T> + 'static,
    make: fn(T) -> Argument,
) -> BoxedStrategy<Argument> {
    option::weighted(chance, value).prop_map(move |value| value.map_or(Argument::Absent, make)).boxed()
}

fn at(kind: Kind, location: Location) -> impl Strategy<Value = Thing> {
    any::<Index>().prop_map(move |index| Thing::On(kind, location, index))
}

fn thing(kind: Kind) -> impl Strategy<Value = Thing> {
    prop_oneof![
        40 => at(kind, Location::Mine),
        3 => at(kind, Location::MyTrash),
        3 => at(kind, Location::Theirs),
        1 => at(kind, Location::Nonexistent),
        1 => at(kind, Location::Malformed),
    ]
}

fn in_trash() -> impl Strategy<Value = Thing> {
    prop_oneof![
        4 => at(Kind::Task, Location::MyTrash),
        1 => at(Kind::Task, Location::Theirs),
        1 => thing(Kind::Task),
    ]
}

fn id(kind: Kind) -> Named {
    ("id", thing(kind).prop_map(Argument::Id).boxed())
}

fn task_id() -> Named {
    ("taskId", thing(Kind::Task).prop_map(Argument::Id).boxed())
}

fn ids() -> Named {
    ("ids", vec(thing(Kind::Task), 0..=4).prop_map(Argument::Ids).boxed())
}

fn version() -> Named {
    let offset = prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(-1)];
    ("expectedVersion", maybe(0.4, offset, Argument::Version))
}

fn parent() -> Named {
    let parent = any::<Index>().prop_map(Thing::Parent);
    let parent = prop_oneof![6 => parent, 1 => at(Kind::Item, Location::Mine), 1 => thing(Kind::Item)];
    ("parentId", maybe(0.3, parent, Argument::ServerEnv))
}

fn before() -> Named {
    let sibling = any::<Index>().prop_map(Thing::Sibling);
    let index = prop_oneof![8 => sibling, 1 => at(Kind::Item, Location::Mine), 1 => thing(Kind::Item)];
    ("before", maybe(0.6, index, Argument::ServerEnv))
}

fn new_task() -> impl Strategy<Value = NewTask> {
    let client_ids = prop_oneof![
        4 => (0..CLIENT_ID_COUNT).prop_map(Thing::ClientId),
        1 => at(Kind::Task, Location::Mine),
        1 => at(Kind::Task, Location::MyTrash),
        1 => at(Kind::Task, Location::Theirs),
    ];
    (option::weighted(0.4, client_ids), full_input(false))
}

type Field = (&'static str, BoxedStrategy<Value>);

/// An input object that contains each field with this probability.
fn part(chance: f64, fields: Vec<Field>) -> BoxedStrategy<Value> {
    let field = |(name, value): Field| {
        let value =
            if chance < 1.0 { option::weighted(chance, value).boxed() } else { value.prop_map(Some).boxed() };
        (Just(name), value)
    };
    fields.into_iter().map(field).collect::<Vec<_>>().prop_map(object).boxed()
}

/// The combined fields of two input objects.
fn merged_fields(
    one: impl Strategy<Value = Value>,
    other: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Value> {
    (one, other).prop_map(|(mut one, other)| {
        overlay(&mut one, &other);
        one
    })
}

fn any_of(values: &'static [&str]) -> BoxedStrategy<Value> {
    select(values).prop_map(Value::from).boxed()
}

fn or_null(weight: u32, value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop_oneof![weight => value, 1 => Just(Value::Null)].boxed()
}

/// A value that may be null, and often is.
fn nullable(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    or_null(3, value)
}

/// A value that must not be null; null is generated rarely, as an invalid input.
fn required(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    or_null(60, value)
}

/// Text that is rarely blank, which is invalid.
fn text() -> BoxedStrategy<Value> {
    prop_oneof![40 => select(&TEXTS[..]), 1 => Just("  ")].prop_map(Value::from).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn list(value: impl Strategy<Value = Value> + 'static, at_most: usize) -> BoxedStrategy<Value> {
    required(vec(value, 0..=at_most).prop_map(Value::from).boxed())
}

fn labels() -> BoxedStrategy<Value> {
    list(any_of(&LABELS), 3)
}

/// The scalar fields that all task inputs have in common.
fn task_fields() -> Vec<Field> {
    vec![
        ("description", nullable(text())),
        ("status", required(any_of(&STATUSES))),
        ("priority", required(any_of(&PRIORITIES))),
        ("dueAt", nullable(any_of(&INSTANTS))),
        ("date", nullable(any_of(&DATES))),
        ("ownerLabel", nullable(text())),
        ("objective", nullable(text())),
        ("rationale", nullable(text())),
    ]
}

fn update() -> impl Strategy<Value = Value> {
    let changed_labels = prop_oneof![
        20 => part(0.2, vec![("labels", labels())]),
        20 => part(0.5, vec![("addLabels", labels()), ("removeLabels", labels())]),
        1 => part(0.7, vec![("labels", labels()), ("addLabels", labels()), ("removeLabels", labels())]),
    ];
    let rarely = part(0.1, vec![("completed", required(flag()))]);
    let fields = task_fields().into_iter().chain([("title", required(text()))]).collect();
    merged_fields(merged_fields(part(0.2, fields), rarely), changed_labels)
}

/// An input with any fields of a task.
fn full_input(with_completed: bool) -> impl Strategy<Value = Value> {
    let completed = if with_completed { vec![("completed", required(flag()))] } else { Vec::new() };
    let title = part(1.0, vec![("title", text())]);
    merged_fields(
        merged_fields(merged_fields(part(0.3, task_fields()), part(0.7, lists())), part(0.1, completed)),
        title,
    )
}

fn nearly_identical() -> BoxedStrategy<Argument> {
    merged_fields(part(0.05, task_fields()), part(0.1, lists())).prop_map(Argument::ReplaceWithSame).boxed()
}

fn lists() -> Vec<Field> {
    vec![
        ("labels", labels()),
        ("checklist", list(item(), 5)),
        ("risks", list(part(1.0, risk()), 2)),
        ("files", list(part(1.0, file()), 2)),
    ]
}

fn item_fields() -> Vec<Field> {
    vec![("text", required(text())), ("done", required(flag()))]
}

/// A checklist item; rarely one that is invalid because of its children.
fn item() -> BoxedStrategy<Value> {
    let item = |section: BoxedStrategy<Value>| {
        merged_fields(
            part(1.0, vec![("section", section), ("text", text())]),
            part(0.5, vec![("done", flag())]),
        )
    };
    let action = || Just(json!("ACTION")).boxed();
    let children = |item: BoxedStrategy<Value>| part(0.5, vec![("children", list(item, 2))]);
    let parent_item = || merged_fields(item(action()), children(item(action()).boxed())).boxed();
    let wrong = merged_fields(item(any_of(&SECTIONS)), children(parent_item()));
    prop_oneof![30 => item(any_of(&SECTIONS)), 15 => parent_item(), 1 => wrong].boxed()
}

fn risk() -> Vec<Field> {
    vec![
        ("description", text()),
        ("likelihood", any_of(&LEVELS)),
        ("impact", any_of(&LEVELS)),
        ("mitigation", nullable(text())),
    ]
}

fn file() -> Vec<Field> {
    vec![("path", text()), ("kind", any_of(&KINDS))]
}
