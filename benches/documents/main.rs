//! Measures task lists of 70, 700 and 5,000 tasks on both databases: import, export, merge, and a tick beside that of
//! a task without a list. `cargo bench --bench documents` fails if a tick in a list costs a tenth more.

#[path = "../support/figures.rs"]
#[allow(dead_code, reason = "other benchmarks use more of these figures")]
mod figures;
#[path = "../support/lists.rs"]
#[allow(dead_code, reason = "other benchmarks use more of these helpers")]
mod lists;

#[allow(dead_code, reason = "the tests use more of these helpers")]
#[path = "../../tests/support"]
mod support {
    mod client;
    mod database;
    pub mod postgres;
    mod server;
    mod sql_session;

    pub use client::{Client, PASSWORD};
    pub use database::PostgresDatabase;
    pub use server::{Server, ServerEnv};
    pub use sql_session::SqlSession;
}

use std::process::ExitCode;

use figures::{Distribution, Report};
use lists::{User, list_of, memory, timed};
use serde_json::{Value, json};
use support::{PostgresDatabase, ServerEnv};

const SIZES: [usize; 3] = [70, 700, 5_000];
const REPETITIONS: usize = 10;
/// The ticks of each kind: many, because one takes less than a millisecond.
const TICKS: usize = 2_000;
/// How much longer than another change a tick in a list may take.
const MAX_RATIO: f64 = 1.1;

const IMPORT: &str =
    "mutation($markdown: String!) { importTaskList(input: { markdown: $markdown }) { taskList { id } } }";
const EXPORT: &str = "query($id: ID!) { taskList(id: $id) { markdown } }";
const MERGE: &str = "mutation($id: ID!, $markdown: String!) { mergeTaskList(id: $id, input: { markdown: $markdown }) { applied } }";
const FIRST: &str = "query($id: ID!) { taskList(id: $id) { tasks(first: 1) { nodes { id } } } }";
const CREATE: &str = "mutation { createTask(input: { title: \"Draw the ships of the day in src/ships.rs\" }) { task { id } } }";
const TICK: &str = "mutation($id: ID!) { toggleTask(id: $id) { task { id completed } } }";

fn main() -> ExitCode {
    let Some(database) = PostgresDatabase::new() else { return ExitCode::FAILURE };
    let mut report = Report::default();
    measure("SQLite", &ServerEnv::new(), &mut report);
    measure("PostgreSQL", &ServerEnv::on(&database), &mut report);
    report.exit_code()
}

fn measure(name: &str, env: &ServerEnv, report: &mut Report) {
    let server = env.start(&["--limit-request-bytes", "3000000"]);
    let token = server.register("ann");
    let mut user = User { client: server.connect(), token };
    println!("{name}: memory before {:.1} MiB", memory(&server));
    for size in SIZES {
        let document = list_of(size);
        let (mut imports, mut exports, mut merges) = (Vec::new(), Vec::new(), Vec::new());
        let mut list = Value::Null;
        for repetition in 0..REPETITIONS {
            let (time, imported) = timed(|| user.ask(IMPORT, &json!({ "markdown": document })));
            imports.push(time);
            list = imported["importTaskList"]["taskList"]["id"].clone();
            let id = json!({ "id": list });
            let first = user.ask(FIRST, &id)["taskList"]["tasks"]["nodes"][0]["id"].clone();
            user.ask(TICK, &json!({ "id": first }));
            exports.push(timed(|| user.ask(EXPORT, &id)).0);
            let changed = document.replace(" of the day", &format!(" of day {repetition}"));
            let merge = timed(|| user.ask(MERGE, &json!({ "id": list, "markdown": changed })));
            merges.push(merge.0);
        }
        println!("  {size} tasks, {} KiB", document.len() / 1024);
        for (what, times) in [("import", imports), ("export", exports), ("merge that changes all", merges)] {
            println!("    {what}: {}", Distribution::of(times));
        }
        ticks(&mut user, &list, report);
    }
    println!("  memory after {:.1} MiB", memory(&server));
}

/// Compares ticks of a list task with those of another task, in turns.
fn ticks(user: &mut User, list: &Value, report: &mut Report) {
    let of_list = user.ask(FIRST, &json!({ "id": list }))["taskList"]["tasks"]["nodes"][0]["id"].clone();
    let plain = user.ask(CREATE, &json!({}))["createTask"]["task"]["id"].clone();
    let (mut in_list, mut outside) = (Vec::new(), Vec::new());
    for _ in 0..TICKS {
        in_list.push(timed(|| user.ask(TICK, &json!({ "id": of_list }))).0);
        outside.push(timed(|| user.ask(TICK, &json!({ "id": plain }))).0);
    }
    let (in_list, outside) = (Distribution::of(in_list), Distribution::of(outside));
    println!("    tick in the list: {in_list}");
    println!("    tick outside: {outside}");
    let ratio = in_list.median().as_secs_f64() / outside.median().as_secs_f64();
    let (figure, bound) = (format!("{ratio:.2}"), format!("{MAX_RATIO:.2}"));
    report.bound("ratio of the medians of a tick", figure, bound, ratio <= MAX_RATIO);
}
