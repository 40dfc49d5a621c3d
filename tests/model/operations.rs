//! Random operations: mostly on what is there, and a fair part of them wrong.
//!
//! They name things by where they are to be found, so that those that are left when others are dropped
//! still mean something.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::Union;
use uuid::Uuid;

use super::reference_model::{Kind, Shelf, World, overlay};
use crate::support::{Value, json, object};

/// How many ids clients choose from.
const CHOSEN: usize = 6;

const TEXTS: [&str; 4] = ["one", "two", " two ", "É"];
/// Some are the same but for case or white space.
const LABELS: [&str; 7] = ["bug", "Bug", " BUG ", "éclair", "ÉCLAIR", "ops", "Ops"];
const INSTANTS: [&str; 2] = ["2027-01-01T00:00:00.000Z", "2027-01-01T00:00:00.001Z"];
const DATES: [&str; 2] = ["2026-11-21", "2028-02-29"];
const STATUSES: [&str; 4] = ["PENDING", "IN_PROGRESS", "BLOCKED", "COMPLETED"];
const PRIORITIES: [&str; 4] = ["LOW", "MEDIUM", "HIGH", "CRITICAL"];
/// Most are ACTION, for only those have children.
const SECTIONS: [&str; 8] =
    ["ACTION", "IN_SCOPE", "ACTION", "OUT_OF_SCOPE", "ACTION", "DELIVERABLE", "ACTION", "ACCEPTANCE"];
const LEVELS: [&str; 3] = ["LOW", "MEDIUM", "HIGH"];
const KINDS: [&str; 3] = ["CREATED", "MODIFIED", "DELETED"];

/// Milliseconds; the last is longer than things stay in the trash.
const WAITS: [i64; 3] = [60_000, 20 * DAY, 31 * DAY];
const DAY: i64 = 86_400_000;

/// A call of a mutation by one of three users, some time after the one before.
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
    /// An id that need not be there.
    Place(Thing),
    /// All that the task is, but for this.
    Again(Value),
    Task(NewTask),
    Tasks(Vec<NewTask>),
    /// The task's version, and how far the client's is behind it.
    Version(i64),
}

/// The id that the client chooses, and the rest.
type NewTask = (Option<Thing>, Value);

/// Something that has an id, or might.
#[derive(Clone, Debug)]
enum Thing {
    On(Kind, Shelf, Index),
    Chosen(usize),
    Sibling(Index),
    Parent(Index),
}

impl Operation {
    /// The arguments as they are sent; None when there is nothing to do it to.
    pub fn arguments(&self, world: &World, user: &str, case: u128) -> Option<Value> {
        let mut arguments = json!({});
        for (name, argument) in &self.arguments {
            let id = |thing: &Thing| thing.id(world, user, case, &arguments);
            let task = |(chosen, input): &NewTask| {
                let mut input = input.clone();
                if let Some(chosen) = chosen {
                    input["id"] = id(chosen)?.into();
                }
                Some(input)
            };
            let value = match argument {
                Argument::Absent => continue,
                Argument::Given(value) => value.clone(),
                Argument::Id(thing) => id(thing)?.into(),
                Argument::Ids(things) => things.iter().map(id).collect::<Option<_>>()?,
                Argument::Place(thing) => match id(thing) {
                    Some(id) => id.into(),
                    None => continue,
                },
                Argument::Again(but) => {
                    let mut input = world.again(&arguments["id"]).unwrap_or(json!({ "title": "one" }));
                    overlay(&mut input, but);
                    input
                }
                Argument::Task(new) => task(new)?,
                Argument::Tasks(all) => all.iter().map(task).collect::<Option<_>>()?,
                Argument::Version(behind) => json!(world.version(&arguments["id"])? - behind),
            };
            arguments[*name] = value;
        }
        Some(arguments)
    }
}

impl Thing {
    fn id(&self, world: &World, user: &str, case: u128, arguments: &Value) -> Option<String> {
        let (ids, index) = match self {
            Self::Chosen(number) => {
                let id = chosen(case)[*number].clone();
                return (!world.has_expired(&id)).then_some(id);
            }
            Self::On(kind, shelf, index) => (world.ids(user, *kind, *shelf), index),
            Self::Sibling(index) => (world.siblings(arguments), index),
            Self::Parent(index) => (world.parents(&arguments["taskId"]), index),
        };
        (!ids.is_empty()).then(|| index.get(&ids).clone())
    }
}

/// The ids that clients choose from in a case.
pub fn chosen(case: u128) -> Vec<String> {
    (0..CHOSEN as u128).map(|number| Uuid::from_u128((case + 1) << 64 | number).to_string()).collect()
}

/// Any operation.
pub fn operation() -> impl Strategy<Value = Operation> {
    let call = Union::new_weighted(vec![
        call(10, "createTask", vec![("input", new_task().prop_map(Argument::Task).boxed())]),
        call(3, "createTasks", vec![("inputs", vec(new_task(), 0..=3).prop_map(Argument::Tasks).boxed())]),
        call(12, "updateTask", vec![id(Kind::Task), ("input", given(update())), version()]),
        call(3, "replaceTask", vec![id(Kind::Task), ("input", given(everything(true))), version()]),
        call(5, "replaceTask", vec![id(Kind::Task), ("input", nearly_the_same()), version()]),
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

fn on(kind: Kind, shelf: Shelf) -> impl Strategy<Value = Thing> {
    any::<Index>().prop_map(move |index| Thing::On(kind, shelf, index))
}

fn thing(kind: Kind) -> impl Strategy<Value = Thing> {
    prop_oneof![
        40 => on(kind, Shelf::Mine),
        3 => on(kind, Shelf::MyTrash),
        3 => on(kind, Shelf::Theirs),
        1 => on(kind, Shelf::Nowhere),
        1 => on(kind, Shelf::Malformed),
    ]
}

fn in_trash() -> impl Strategy<Value = Thing> {
    prop_oneof![
        4 => on(Kind::Task, Shelf::MyTrash),
        1 => on(Kind::Task, Shelf::Theirs),
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
    let behind = prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(-1)];
    ("expectedVersion", maybe(0.4, behind, Argument::Version))
}

fn parent() -> Named {
    let parent = any::<Index>().prop_map(Thing::Parent);
    let parent = prop_oneof![6 => parent, 1 => on(Kind::Item, Shelf::Mine), 1 => thing(Kind::Item)];
    ("parentId", maybe(0.3, parent, Argument::Place))
}

fn before() -> Named {
    let sibling = any::<Index>().prop_map(Thing::Sibling);
    let place = prop_oneof![8 => sibling, 1 => on(Kind::Item, Shelf::Mine), 1 => thing(Kind::Item)];
    ("before", maybe(0.6, place, Argument::Place))
}

fn new_task() -> impl Strategy<Value = NewTask> {
    let chosen = prop_oneof![
        4 => (0..CHOSEN).prop_map(Thing::Chosen),
        1 => on(Kind::Task, Shelf::Mine),
        1 => on(Kind::Task, Shelf::MyTrash),
        1 => on(Kind::Task, Shelf::Theirs),
    ];
    (option::weighted(0.4, chosen), everything(false))
}

type Field = (&'static str, BoxedStrategy<Value>);

/// An input of some of the fields, each with this chance.
fn part(chance: f64, fields: Vec<Field>) -> BoxedStrategy<Value> {
    let field = |(name, value): Field| {
        let value =
            if chance < 1.0 { option::weighted(chance, value).boxed() } else { value.prop_map(Some).boxed() };
        (Just(name), value)
    };
    fields.into_iter().map(field).collect::<Vec<_>>().prop_map(object).boxed()
}

/// The fields of one input and of another.
fn joined(
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

/// What may be null.
fn nullable(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    or_null(3, value)
}

/// What may not, and sometimes is all the same.
fn required(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    or_null(60, value)
}

/// Seldom blank.
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

/// The fields that a task has for itself and that all inputs share.
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
    let seldom = part(0.1, vec![("completed", required(flag()))]);
    let fields = task_fields().into_iter().chain([("title", required(text()))]).collect();
    joined(joined(part(0.2, fields), seldom), changed_labels)
}

/// All that a task can be made of.
fn everything(with_completed: bool) -> impl Strategy<Value = Value> {
    let completed = if with_completed { vec![("completed", required(flag()))] } else { Vec::new() };
    let title = part(1.0, vec![("title", text())]);
    joined(joined(joined(part(0.3, task_fields()), part(0.7, lists())), part(0.1, completed)), title)
}

fn nearly_the_same() -> BoxedStrategy<Argument> {
    joined(part(0.05, task_fields()), part(0.1, lists())).prop_map(Argument::Again).boxed()
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

/// An item, seldom with children where it cannot have them.
fn item() -> BoxedStrategy<Value> {
    let item = |section: BoxedStrategy<Value>| {
        joined(part(1.0, vec![("section", section), ("text", text())]), part(0.5, vec![("done", flag())]))
    };
    let action = || Just(json!("ACTION")).boxed();
    let steps = |item: BoxedStrategy<Value>| part(0.5, vec![("children", list(item, 2))]);
    let phase = || joined(item(action()), steps(item(action()).boxed())).boxed();
    let wrong = joined(item(any_of(&SECTIONS)), steps(phase()));
    prop_oneof![30 => item(any_of(&SECTIONS)), 15 => phase(), 1 => wrong].boxed()
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
