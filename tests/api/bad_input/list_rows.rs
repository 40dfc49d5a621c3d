//! Invalid values of the inputs about task documents and task lists.

use super::rows::{
    Row, booleans, filled_text, good_ids, ids, maybe_ids, no_input, no_text, options, rows, versions,
};
use crate::support::{Value, json};

/// Invalid Markdown documents.
fn document(path: &str) -> Vec<Row> {
    [no_text(path), rows(path, &[Value::Null], "required")].concat()
}

/// Invalid values of an optional text.
fn maybe_text(path: &str) -> Vec<Row> {
    let none = [json!(5), json!(0.5), json!(true), json!(["a", "b"]), json!({ "a": 1 })];
    rows(path, &none, "invalid")
}

/// Invalid lists of texts.
fn texts(path: &str) -> Vec<Row> {
    [
        rows(path, &[json!(5), json!(0.5), json!(true), json!({ "a": 1 })], "invalid"),
        rows(path, &[json!(["x", 5]), json!(["x", ["y"]])], "1 invalid"),
        rows(path, &[json!(["x", null])], "1 required"),
    ]
    .concat()
}

/// The conditions of a filter for the place in a list.
pub fn filter() -> Vec<Row> {
    let mut all = [booleans("filter.inList", &[]), booleans("filter.parallel", &[])].concat();
    all.extend(rows(
        "filter.listId",
        &[json!(0.5), json!(true), json!(["x"]), json!({ "id": "x" })],
        "invalid",
    ));
    for field in ["key", "phase", "story"] {
        let path = format!("filter.{field}");
        all.extend(texts(&path));
        all.extend(rows(&path, &[json!(["a\0b"])], "0 invalid"));
    }
    for path in ["filter.key", "filter.phase"] {
        all.extend(rows(path, &[json!(vec!["x"; 1_001])], "too_many"));
    }
    // Each value for stories counts as a condition.
    all.extend(rows("filter", &[json!({ "story": vec!["x"; 51] })], "too_many"));
    all
}

/// The place of a new task in a list.
pub fn place(path: &str) -> Vec<Row> {
    let at = |field: &str| format!("{path}.{field}");
    [
        rows(path, &[json!(5), json!("x"), json!([])], "invalid"),
        rows(path, &[json!({})], "listId required"),
        ids(&at("listId")),
        maybe_ids(&at("after")),
        rows(&at("after"), &[json!(good_ids(1)[0])], "invalid"),
        no_text(&at("phase")),
        rows(&at("phase"), &[json!("no such phase")], "invalid"),
        no_text(&at("key")),
        rows(&at("key"), &[json!("T"), json!("T001-T002"), json!("T001#2"), json!("t001")], "invalid"),
        texts(&at("stories")),
        rows(&at("stories"), &[json!(["US1", "Story 1"])], "1 invalid"),
        rows(&at("stories"), &[json!((0..51).map(|n| format!("US{n}")).collect::<Vec<_>>())], "too_many"),
        booleans(&at("parallel"), &[Value::Null]),
    ]
    .concat()
}

pub fn diagnostics() -> Vec<Row> {
    [options("kind", &[Value::Null]), document("markdown")].concat()
}

pub fn import() -> Vec<Row> {
    let without = rows("input", &[json!({})], "markdown required");
    [no_input("input"), without, maybe_ids("input.id"), document("input.markdown")].concat()
}

pub fn import_list() -> Vec<Row> {
    [import(), options("input.ordering", &[Value::Null])].concat()
}

pub fn update() -> Vec<Row> {
    [ids("id"), no_input("input"), options("input.ordering", &[]), versions()].concat()
}

pub fn dependency() -> Vec<Row> {
    [ids("taskId"), ids("blockedById")].concat()
}

/// Invalid arguments for a dependency of a task, also those on itself.
pub fn add_dependency(task: &Value) -> Vec<Row> {
    let itself = if task.is_null() { Vec::new() } else { vec![task.clone()] };
    [dependency(), rows("blockedById", &itself, "cycle")].concat()
}

/// Invalid durations of a claim.
pub fn seconds(path: &str) -> Vec<Row> {
    let none = [json!("60"), json!(0.5), json!(true), json!([60]), json!({})];
    let bounds = [json!(i32::MAX), json!(i32::MIN), json!(2_147_483_648_u32)];
    let out_of_range = [&[json!(0), json!(-1), json!(86_401)][..], &bounds].concat();
    [
        rows(path, &none, "invalid"),
        rows(path, &out_of_range, "out_of_range"),
        rows(path, &[Value::Null], "required"),
    ]
    .concat()
}

pub fn claim() -> Vec<Row> {
    let (list, worker) = (json!({ "listId": good_ids(1)[0] }), json!({ "worker": "x" }));
    let mut all = [
        no_input("input"),
        rows("input", &[list], "worker required"),
        rows("input", &[worker], "listId required"),
        ids("input.listId"),
        maybe_ids("input.id"),
        filled_text("input.worker", 100),
        seconds("input.ttlSeconds"),
    ]
    .concat();
    for path in ["input.stories", "input.keys"] {
        all.extend(texts(path));
        all.extend(rows(path, &[json!(vec!["x"; 5_001])], "too_many"));
    }
    all
}

pub fn replace_document() -> Vec<Row> {
    let version = rows("expectedVersion", &[Value::Null], "required");
    [ids("id"), document("markdown"), versions(), version].concat()
}

pub fn merge() -> Vec<Row> {
    let resolution = |value: Value, rule| rows("input.resolutions", &[json!([value])], rule);
    [
        ids("id"),
        no_input("input"),
        document("input.markdown"),
        maybe_text("input.revision"),
        rows("input.resolutions", &[json!(5), json!("x")], "invalid"),
        resolution(json!(5), "0 invalid"),
        resolution(Value::Null, "0 required"),
        resolution(json!({ "key": "T001", "use": "FILE" }), "0.key invalid"),
        resolution(json!({ "key": "T001" }), "0.use required"),
        resolution(json!({ "key": 5, "use": "FILE" }), "0.key invalid"),
        resolution(json!({ "key": "T001", "use": "BOTH" }), "0.use invalid"),
        options("input.onConflict", &[]),
        booleans("input.dryRun", &[Value::Null]),
    ]
    .concat()
}
